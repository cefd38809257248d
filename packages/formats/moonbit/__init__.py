"""The format of MoonBit modules: names, versions, the index, addresses. Pure."""
