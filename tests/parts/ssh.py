"""An SSH server on loopback that gives away Git repositories to one key."""

import asyncio
import threading
from pathlib import Path
from typing import Any, Self

import asyncssh


class SshServer:
    """Start it as a context manager. `private_key` opens it; `host_line` is its own key as ssh-keyscan prints it."""

    def __init__(self, root: Path, port: int = 0) -> None:
        self.root, self.port = root, port
        self.commands: list[str] = []
        self.forget_host()
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def private_key(self) -> str:
        """The client's key as ssh-keygen writes it."""
        return self._key.export_private_key().decode()

    @property
    def host_line(self) -> str:
        """What `ssh-keyscan` would print."""
        return f"[127.0.0.1]:{self.port} {self._host.export_public_key().decode().strip()}\n"

    def url(self, repository: Path) -> str:
        """The address of a repository below the root."""
        return f"ssh://git@127.0.0.1:{self.port}{repository}"

    def forget_host(self) -> None:
        """From its next start on it is another host."""
        self._host = asyncssh.generate_private_key("ssh-ed25519")

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self) -> None:
        """Listen, at the same port as before."""
        self._server = self._do(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Close the port."""
        self._server.close()
        self._do(self._server.wait_closed())

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    async def _listen(self) -> Any:
        keys = asyncssh.import_authorized_keys(self._key.export_public_key().decode())
        return await asyncssh.listen(
            "127.0.0.1", self.port, server_host_keys=[self._host], authorized_client_keys=keys,
            process_factory=self._serve, encoding=None, password_auth=False,
        )  # fmt: skip

    def _has(self, path: str) -> bool:
        return Path(path).exists()

    async def _serve(self, process: Any) -> None:
        """`git-upload-pack '/path'` and nothing else."""
        command = process.command or ""
        self.commands.append(command)
        word, _, path = command.partition(" ")
        if word != "git-upload-pack" or not Path(path.strip("'")).is_relative_to(self.root):
            process.exit(1)
            return
        if not self._has(path.strip("'")):  # what git would say; it would hang up while asyncssh still writes to it
            process.stderr.write(f"fatal: {path} does not appear to be a git repository\n".encode())
            process.exit(128)
            return
        child = await asyncio.create_subprocess_exec(
            "git", "-c", "safe.directory=*", "upload-pack", path.strip("'"),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        # The end of stdout is not passed on by itself: nothing could be written to stderr after it, and asyncssh hangs up then.
        await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr, send_eof=False)
        code = await child.wait()
        await process.stdout.drain()  # until the last byte is on its way
        await process.stderr.drain()
        process.exit(code)
        await process.wait_closed()
