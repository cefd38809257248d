"""Publish bodies, ordinary and otherwise, and where their attachments go."""

import json


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, chunk: bytes) -> None:
        self.data += chunk


class Kepts(dict[str, Kept]):
    """Sinks by attachment."""

    def sink_for(self, name: str) -> Kept:
        assert name not in self, "asked twice for one attachment"
        self[name] = Kept()
        return self[name]


def attached(data: str, name: str = "a-1.0.0.tgz") -> bytes:
    """A small document with one attachment; `data` stands as it is between the quotes."""
    return b'{"name":"a","_attachments":{%s:{"content_type":"x","data":"%s","length":3}},"z":[1,{"data":"kept"}]}' % (
        json.dumps(name).encode(),
        data.encode(),
    )


TRICKY = [
    attached("AAEC"),
    attached("//8="),
    attached("\\/\\/8="),
    attached(""),
    attached("AAECAwQF", name='quo"te\\\u00e9\U0001f600'),
    b'{"_attachments":{"a":{"data":"AAEC"},"b":{"data":"AwQ="}}}',
    b' {"a\\"b" : "c\\\\" , "d":"\\u00e9\xc3\xa9\\n" , "e":{"_attachments":{"a":{"data":"no base64!"}}} } \n',
    b'{"\\u005fattachments":{"a":{"d\\u0061ta":"AAEC"}}}',
    b'{"_attachments":[{"data":"no base64!"}],"x":{"y":{"data":"neither!"}}}',
    b'{"_attachments":{"a":[{"data":"neither!"}],"b":{"c":{"data":"nor this!"}}}}',
    b'{"data":"root!","_attachments":{"data":"name!","a":{"data":5}}}',
    b'{"versions":{"1.0.0":{"data":"!!","_attachments":{"x":{"data":"!!"}}}},"_attachments":{}}',
]


NO_BASE64 = [
    "!!!!",
    "AAE",
    "AAECA",
    "A",
    "A===",
    "AA=",
    "AA==AAAA",
    "AAEC\\nAAEC",
    "AAEC AAEC",
    "AA-_",
    "=AAA",
    "====",
    "AAEC\\u0041AAA",
    "AAEC\\\\AAA",
    "AA\u00e9C",
    "AAEC\\",
    "AAEC\\/",
    "A=AA",
    "AAEC=",
]

NO_DOCUMENT = [
    b"",
    b" ",
    b"null",
    b"[]",
    b'"x"',
    b"5",
    b"{",
    b"}",
    b'{"a"',
    b'{"a":',
    b'{"a":1',
    b'{"a":1}}',
    b'{"a":1}{}',
    b'{"a":1} x',
    b"{]",
    b'{"a":[}',
    b'{"a":"\xff"}',
    b'{"a":"\\ud800"}',
    b'{"a":"\xed\xa0\x80"}',
    b'\xef\xbb\xbf{"a":1}',
    '{"a":1}'.encode("utf-16"),
    b'{"a":NaN}',
    b'{"a":1e999}',
    b'{"a":01}',
    b"{'a':1}",
    b'{"a":1,}',
    b'{"a":"\n"}',
    b'{"a":"\\x"}',
    b'{"\\ud800":1}',
    b"\x1f\x8b\x08\x00",
    b'{"a":' + b"1" * 5000 + b"}",
    b'{"_attachments":{"a":{"data":"AAEC"}}',
    b'{"_attachments":{"a":{"data":"AAEC',
    b'{"_attachments":{"a":{"data" "AAEC"}}}',
]

DOUBLE = [
    b'{"name":"a","name":"b"}',
    b'{"_attachments":{},"_attachments":{}}',
    b'{"_attachments":{},"\\u005fattachments":{}}',
    b'{"_attachments":{"a":{},"a":{}}}',
    b'{"_attachments":{"a":{"data":"AAEC","data":"AAEC"}}}',
    b'{"_attachments":{"a":{"data":5,"data":"AAEC"}}}',
]
