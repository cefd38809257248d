"""The lines `make run` prints: web address, sign-in, and an `.npmrc` to paste."""

from urllib.parse import urlsplit

from config.bootstrap import REGISTRY, WORKSPACE, FirstRun


def greeting(*, address: str, username: str, made: FirstRun) -> str:
    """The whole text. Secrets are in it only when they were made just now; they exist nowhere else."""
    return "\n".join([f"Gatehouse  {address}/", f"Sign in    {_sign_in(username, made)}", "", *_npmrc(address, made), ""])


def _sign_in(username: str, made: FirstRun) -> str:
    if made.password:
        return f"{username}  password {made.password}  (shown this once)"
    return f"{username}  with your password"


def _npmrc(address: str, made: FirstRun) -> list[str]:
    registry = f"{address}/{WORKSPACE}/r/{REGISTRY}/"
    if made.token is None:
        return ["For your .npmrc (then `npm login`, or a token of yours):", "", f"registry={registry}"]
    bare = registry.removeprefix(f"{urlsplit(registry).scheme}:")
    return ["For your .npmrc (the token is shown this once):", "", f"registry={registry}", f"{bare}:_authToken={made.token}"]
