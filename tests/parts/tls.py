"""A recorder that speaks TLS, with whatever certificate it is given."""

import ssl

from tests.parts.recorder import Recorder


class TlsRecorder(Recorder):
    """As `Recorder`, at an https address."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        """Its base address, without a trailing slash."""
        return f"https://127.0.0.1:{self.port}"
