"""A mail server for the tests: aiosmtpd, which others use, too.

    server.py FOLDER PORT plain|starttls|tls [CERTIFICATE KEY]

It listens on 127.0.0.1 (port 0: a free one) and prints the port. Each message that it was given whole becomes a file
of FOLDER, 0001.json and so on. What it then does stands in the first line of FOLDER/deeds, which is removed: an answer
such as "451 busy", or "hang"; without one it takes the message. With TLS it wants the name `tidegate` and the
password `right`, and takes them over an encrypted connection alone.
"""

import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

folder = pathlib.Path(sys.argv[1])
port, way = int(sys.argv[2]), sys.argv[3]
count = len(list(folder.glob("*.json")))


def read(envelope):
    """As a mail program reads it."""
    message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
    body = {kind: message.get_body((kind,)).get_content() for kind in ("plain", "html")}
    return {
        "to": envelope.rcpt_tos,
        "raw": envelope.original_content.decode(),
        "headers": [[name, str(value)] for name, value in message.items()],
        "text": body["plain"],
        "html": body["html"],
    }


class Handler:
    async def handle_DATA(self, server, session, envelope):
        global count
        count += 1
        part = folder / f"{count:04}.part"
        part.write_text(json.dumps(read(envelope)))
        part.rename(folder / f"{count:04}.json")
        deeds = folder / "deeds"
        lines = deeds.read_text().splitlines() if deeds.exists() else []
        if not lines:
            return "250 taken"
        deeds.write_text("\n".join(lines[1:]))
        if lines[0] == "hang":
            await asyncio.sleep(3600)
        return lines[0]


def signs_in(server, session, envelope, mechanism, data):
    # `handled`: whether it was answered here.
    return AuthResult(success=(data.login, data.password) == (b"tidegate", b"right"), handled=False)


async def main():
    context = None
    if way != "plain":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4], sys.argv[5])

    def session():
        settings = {"hostname": "localhost", "enable_SMTPUTF8": True}
        if way == "starttls":
            settings |= {"tls_context": context, "require_starttls": True}
        if way != "plain":
            # Over implicit TLS the library does not know that the connection is encrypted.
            settings |= {"authenticator": signs_in, "auth_required": True, "auth_require_tls": way == "starttls"}
        return SMTP(Handler(), **settings)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", port, ssl=context if way == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
