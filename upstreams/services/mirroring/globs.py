"""Whether two globs can mean the same name. Pure."""

ANY, ONE = "*", "?"


def meet(one: str, other: str) -> bool:
    """Whether some name meets both patterns, as Gatehouse reads globs: `*` is any characters, `?` is one.

    Row by row: whether the pattern so far and each beginning of the other can mean the same.
    """
    one, other = one.lower(), other.lower()
    row = [True, *(not other[: place + 1].strip(ANY) for place in range(len(other)))]
    for char in one:
        above, row = row, [row[0] and char == ANY]
        for place, beside in enumerate(other):
            if ANY in {char, beside}:
                row.append(above[place + 1] or row[place])
            else:
                row.append(above[place] and (char == beside or ONE in {char, beside}))
    return row[-1]
