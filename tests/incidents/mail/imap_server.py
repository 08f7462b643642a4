"""A small IMAP server on loopback: what a poller asks of one mailbox, over real sockets, with or without TLS.

It keeps its mails in memory. `die_after` names a command after which it hangs up; `deny` one that it refuses.
"""

import re
import socketserver
import ssl
import threading
from dataclasses import dataclass, field

PASSWORD = "secret of the mailbox"


@dataclass
class Message:
    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.tls = tls
        self.folders: dict[str, list[Message]] = {"INBOX": [], "Done": []}
        self.validity = 77
        self.next_uid = 1
        self.commands: list[str] = []
        self.die_after = self.deny = ""
        self.silent = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def add(self, raw: bytes, *flags: str, folder: str = "INBOX") -> int:
        self.folders[folder].append(Message(self.next_uid, raw, set(flags)))
        self.next_uid += 1
        return self.next_uid - 1

    def flags(self) -> dict[int, set[str]]:
        return {one.uid: one.flags for one in self.folders["INBOX"]}


class Session(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        if self.server.silent:
            self.rfile.read(1)
            return
        self.selected = "INBOX"
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb")
        self.say("* OK ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            name = rest.partition(" ")[0].upper()
            if name == "UID":
                name = f"UID {rest.split()[1].upper()}"
            self.server.commands.append(rest)
            if name == self.server.deny:
                self.say(f"{tag} NO not today")
                continue
            answer = getattr(self, f"do_{name.replace(' ', '_').lower()}", None)
            self.say(f"{tag} {answer(rest) if answer else 'BAD unknown command'}")
            if name in ("LOGOUT", self.server.die_after):
                return

    def say(self, line: str | bytes) -> None:
        self.wfile.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        self.wfile.flush()

    def messages(self) -> list[Message]:
        return self.server.folders[self.selected]

    def numbered(self, wanted: str) -> list[tuple[int, Message]]:
        uids = {int(one) for one in wanted.split(",")}
        return [(number, one) for number, one in enumerate(self.messages(), 1) if one.uid in uids]

    # --- Commands -------------------------------------------------------------------------------
    def do_capability(self, rest: str) -> str:
        self.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN UIDPLUS")
        return "OK done"

    def do_login(self, rest: str) -> str:
        return "OK welcome" if PASSWORD in rest else "NO [AUTHENTICATIONFAILED] wrong user or password"

    def do_list(self, rest: str) -> str:
        for name in self.server.folders:
            self.say(f'* LIST (\\HasNoChildren) "/" "{name}"')
        return "OK done"

    def do_select(self, rest: str) -> str:
        name = rest.partition(" ")[2].strip('"')
        if name not in self.server.folders:
            return "NO no such folder"
        self.selected = name
        self.say(f"* {len(self.messages())} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.server.validity}] valid")
        return "OK [READ-WRITE] selected"

    def do_status(self, rest: str) -> str:
        self.say(f'* STATUS "INBOX" (UIDVALIDITY {self.server.validity})')
        return "OK done"

    def do_uid_search(self, rest: str) -> str:
        asked = rest.split(" ", 2)[2]
        found = [one.uid for one in self.messages()]
        if "UNSEEN" in asked:
            found = [one.uid for one in self.messages() if "\\Seen" not in one.flags]
        elif match := re.search(r"UID (\d+):\*", asked):
            found = [uid for uid in found if uid >= int(match[1])] or found[-1:]
        self.say(f"* SEARCH {' '.join(map(str, found))}")
        return "OK done"

    def do_uid_fetch(self, rest: str) -> str:
        for number, one in self.numbered(rest.split()[2]):
            head = one.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            content = head if "[HEADER]" in rest else one.raw
            section = "HEADER" if "[HEADER]" in rest else ""
            flags = " ".join(sorted(one.flags))
            start = f"* {number} FETCH (UID {one.uid} FLAGS ({flags}) RFC822.SIZE {len(one.raw)} BODY[{section}] "
            self.say(f"{start}{{{len(content)}}}".encode() + b"\r\n" + content + b")")
        return "OK done"

    def do_uid_store(self, rest: str) -> str:
        for _, one in self.numbered(rest.split()[2]):
            one.flags |= set(re.findall(r"\\\w+", rest))
        return "OK done"

    def do_uid_copy(self, rest: str) -> str:
        target = rest.split()[3].strip('"')
        for _, one in self.numbered(rest.split()[2]):
            self.server.folders[target].append(one)
        return "OK done"

    def do_expunge(self, rest: str) -> str:
        self.server.folders[self.selected] = [one for one in self.messages() if "\\Deleted" not in one.flags]
        return "OK done"

    def do_logout(self, rest: str) -> str:
        self.say("* BYE")
        return "OK done"
