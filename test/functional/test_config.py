"""Options, configuration files, signals, background, hooks and the files that a running node keeps."""
import os
import signal
import stat
import time

from framework import CAIRND, case, check, contains, equal, run_cases, run_program, wait_until


def configured(t, text, chain="regtest", args=()):
    node = t.node(chain, args)
    (node.datadir / "bitcoin.conf").write_text(text)
    return node


def subversion(node):
    return node.rpc.getnetworkinfo()["subversion"]


def refuses(node, text, *args):
    ended = node.run(*args)
    equal((ended.code, ended.out), (1, ""), f"exit code and output ({ended})")
    contains(ended.err, text, "standard error")
    check(ended.err.startswith("Error: "), f"standard error begins otherwise: {ended.err!r}")


@case
def sections(t):
    node = configured(t, "uacomment=everywhere\n[main]\nuacomment=wrong\n[regtest]\nuacomment=here # comment\n"
                         "[signet]\nuacomment=wrong\n").start()
    contains(subversion(node), "(here; everywhere)", "own section before the common part")
    check("wrong" not in subversion(node), "a foreign section is read")
    node.stop()
    node = configured(t, "regtest.uacomment=dotted\nmain.uacomment=wrong\n").start()
    contains(subversion(node), "(dotted)", "section as prefix")
    node.stop()
    node = configured(t, "rpcport=1\n")
    node.command = lambda *a: [str(CAIRND), f"-datadir={node.datadir}", "-chain=regtest", "-printtoconsole=0", *a]
    refuses(node, "Config setting for -rpcport only applied on regtest network when in [regtest] section.")
    node = configured(t, "[nonsense]\nuacomment=a\n").start()
    contains(node.new_log(), "bitcoin.conf:1 Section [nonsense] is not recognized.", "log")
    node.rpc.stop()
    equal(node.wait().err, f"Warning: {node.datadir}/bitcoin.conf:1 Section [nonsense] is not recognized.\n", "standard error")


@case
def command_line_before_file(t):
    node = configured(t, "uacomment=file\ntxindex=1\n").start("-uacomment=line", "-notxindex")
    contains(subversion(node), "(line; file)", "lists add up, the command line first")
    equal(node.rpc.getindexinfo(), {}, "a single value is replaced")
    node.stop()


@case
def included_files(t):
    node = configured(t, "includeconf=more.conf\nuacomment=outer\n")
    (node.datadir / "more.conf").write_text("uacomment=inner\nincludeconf=third.conf\n")
    (node.datadir / "third.conf").write_text("uacomment=third\n")
    node.start()
    contains(subversion(node), "outer; inner", "included file")
    check("third" not in subversion(node), "an included file includes another")
    contains(node.new_log(), "Included configuration file more.conf", "log")
    node.rpc.stop()
    contains(node.wait().err, "warning: -includeconf cannot be used from included files; ignoring -includeconf=third.conf", "warning")
    node = configured(t, "includeconf=absent.conf\n")
    refuses(node, "Error reading configuration file: Failed to include configuration file absent.conf")
    refuses(t.node(), "-includeconf cannot be used from commandline; -includeconf=\"x.conf\"", "-includeconf=x.conf")


@case
def negation(t):
    node = configured(t, "nouacomment=1\n").start()
    check("(" not in subversion(node), "negated in the file")
    node.stop()
    node.start("-uacomment=a", "-nouacomment", "-uacomment=b")
    contains(subversion(node), "(b)", "what was given before a negation is forgotten")
    node.stop()
    node.start("-nodebuglogfile")
    equal(node.new_log(), "", "no log file")
    node.stop()
    refuses(t.node(), "Negating of -datadir is meaningless and therefore forbidden", "-nodatadir")


@case
def mistakes(t):
    refuses(t.node(), "Error: Error parsing command line arguments: Invalid parameter -nosuchoption", "-nosuchoption=1")
    refuses(t.node(), "Command line contains unexpected token 'word'", "word")
    node = configured(t, "nosuchoption=1\nuacomment=fine\n").start()
    contains(node.new_log(), "Ignoring unknown configuration value nosuchoption", "log")
    node.stop()
    for text, error in (("-regtest=1\n", "parse error on line 1: -regtest=1, options in configuration file must be specified "
                                         "without leading -"),
                        ("\n\nnonsense\n", "parse error on line 3: nonsense"),
                        ("conf=other\n", "conf cannot be set in the configuration file"),
                        ("rpcpassword=a#b\n", "parse error on line 1, using # in rpcpassword can be ambiguous")):
        refuses(configured(t, text), "Error reading configuration file: " + error)
    refuses(t.node(), "Unknown chain moon.", "-chain=moon")
    refuses(t.node(), "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at most one.", "-signet")
    refuses(t.node(), f'Specified data directory "{t.dir / "absent"}" does not exist.', f"-datadir={t.dir / 'absent'}")
    refuses(t.node(), "Invalid minimum work specified (xyz)", "-minimumchainwork=xyz")
    refuses(t.node(), "Invalid assumevalid block hash specified (xyz)", "-assumevalid=xyz")
    node = t.node()
    (node.datadir / "bitcoin.conf").mkdir()
    refuses(node, f'Config file "{node.datadir / "bitcoin.conf"}" is a directory.')
    (t.dir / "binary.conf").write_bytes(os.urandom(10_000))
    ended = t.node().run(f"-conf={t.dir / 'binary.conf'}", "-stopafterblockimport")
    check(ended.code in (0, 1), f"a binary file: {ended}")


@case
def words_that_only_print(t):
    for word in ("-version", "-help", "-h", "-?", "-help-debug"):
        ended = run_program(CAIRND, word)
        equal((ended.code, ended.err), (0, ""), word)
        check(len(ended.out) > 20 and ended.out.endswith("\n"), f"{word}: {ended}")
    contains(run_program(CAIRND, "-help").out, "-datadir=<dir>", "-help")


@case
def signals(t):
    for number in (signal.SIGTERM, signal.SIGINT):
        node = t.node().start()
        check((node.chain_dir / ".cookie").exists() and (node.chain_dir / "bitcoind.pid").exists(), "files of a running node")
        ended = node.kill(number)
        equal((ended.code, ended.err), (0, ""), f"{number.name}")
        check(not (node.chain_dir / ".cookie").exists(), f"the cookie stays after {number.name}")
        check(not (node.chain_dir / "bitcoind.pid").exists(), f"the PID file stays after {number.name}")
        contains(node.log(), "Shutdown done", "log")


@case
def log_rotation(t):
    node = t.node().start()
    log = node.chain_dir / "debug.log"
    log.rename(node.chain_dir / "debug.log.1")
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: node.rpc.uptime() >= 0 and log.exists(), "a new log")
    node.stop()
    contains(log.read_text(), "Shutdown done", "the new log")
    check("Shutdown done" not in (node.chain_dir / "debug.log.1").read_text(), "the old log is still written")


@case
def background(t):
    node = t.node()
    for option in ("-daemonwait", "-daemon"):
        ended = run_program(*node.command(option))
        equal((ended.code, ended.out, ended.err), (0, "cairn daemon starting\n", ""), option)
        if option == "-daemonwait":
            check(node.connect(), "-daemonwait returns before the node answers")
        wait_until(node.connect, "the node answers")
        pid = int((node.chain_dir / "bitcoind.pid").read_text())
        check(os.getsid(pid) == pid, "the node is in the caller's session")
        second = run_program(*node.command("-daemonwait"))
        equal(second.code, 1, "a second one fails, and -daemonwait tells")
        node.rpc.stop()
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the node ends")


@case
def pid_files(t):
    node = t.node().start(f"-pid={t.dir / 'a.pid'}")
    equal((t.dir / "a.pid").read_text(), f"{node.process.pid}\n", "PID file")
    check(not (node.chain_dir / "bitcoind.pid").exists(), "the default file is written too")
    node.stop()
    check(not (t.dir / "a.pid").exists(), "the PID file stays")
    node.start("-nopid")
    check(not (node.chain_dir / "bitcoind.pid").exists(), "-nopid")
    node.stop()
    refuses(t.node(), f"Unable to create the PID file '{t.dir}/absent/a.pid': No such file or directory",
            f"-pid={t.dir}/absent/a.pid")


@case
def cookies(t):
    for option, mode in ((None, 0o600), ("owner", 0o600), ("group", 0o640), ("all", 0o644)):
        node = t.node().start(*([f"-rpccookieperms={option}"] if option else []))
        cookie = node.chain_dir / ".cookie"
        equal(stat.S_IMODE(cookie.stat().st_mode), mode, f"rights of the cookie with {option}")
        user, password = cookie.read_text().split(":")
        equal((user, len(password)), ("__cookie__", 64), "cookie")
        before = password
        node.stop()
        node.start()
        check(cookie.read_text().split(":")[1] != before, "the password of the day is that of yesterday")
        node.stop()
    ended = t.node().run("-rpccookieperms=everybody")
    equal((ended.code, ended.err), (1, "Error: Unable to start HTTP server. See debug log for details.\n"), "nonsense")
    node = t.node()
    node.start(f"-rpccookiefile={node.chain_dir / '.cookie'}")
    node.stop()


@case
def files_are_private(t):
    node = t.node().start()
    for folder, _, names in os.walk(node.chain_dir):
        for name in names:
            mode = (os.stat(os.path.join(folder, name)).st_mode)
            check(not mode & 0o077, f"others may read {folder}/{name}")
    node.stop()


@case
def hooks(t):
    said = t.dir / "said"
    node = t.node(args=[f"-startupnotify=echo started >> {said}", f"-shutdownnotify=sleep 0.3; echo stopped >> {said}",
                        f"-blocknotify=echo %s >> {said}-blocks"])
    node.start()
    wait_until(said.exists, "-startupnotify")
    to = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    hashes = [node.rpc.generatetoaddress(1, to)[0]]  # the first ends the initial download
    hashes += node.rpc.generatetoaddress(3, to)
    blocks = t.dir / "said-blocks"
    wait_until(lambda: blocks.exists() and hashes[-1] in blocks.read_text(), "-blocknotify")
    check(set(blocks.read_text().split()) <= set(hashes), f"-blocknotify: {blocks.read_text()}")
    node.stop()
    equal(said.read_text(), "started\nstopped\n", "the end of -shutdownnotify is waited for")


@case
def user_agent_comments(t):
    node = t.node().start("-uacomment=one", "-uacomment=two.2 -_?@")
    contains(subversion(node), "(one; two.2 -_?@)/", "comments")
    node.stop()
    for bad in ("a/b", "a(b)", "a:b", "ä", "a\nb"):
        refuses(t.node(), f"User Agent comment ({bad}) contains unsafe characters.", f"-uacomment={bad}")
    refuses(t.node(), "Total length of network version string", "-uacomment=" + "x" * 300)


@case
def settings_file(t):
    node = t.node()
    node.chain_dir.mkdir()
    (node.chain_dir / "settings.json").write_text('{"uacomment": ["s1", "s2"], "nosuch": 1}')
    node.start()
    contains(subversion(node), "s1", "settings.json")
    contains(node.new_log(), "Ignoring unknown rw_settings value nosuch", "log")
    node.stop()
    (node.chain_dir / "settings.json").write_text("{broken")
    refuses(node, "Settings file could not be read")


@case
def stop_at_height(t):
    node = t.node(args=["-stopatheight=3"]).start()
    try:
        node.rpc.generatetoaddress(5, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")
    except (OSError, Exception):  # the connection may be gone with the node
        pass
    equal(node.wait().code, 0, "exit code")
    node.args = []
    node.start()
    check(3 <= node.rpc.getblockcount() <= 5, "height")
    node.stop()


@case
def no_server(t):
    node = t.node(args=["-noserver"])
    node.launch()
    node.wait_log("Done loading")
    check(not (node.chain_dir / ".cookie").exists(), "a cookie although nobody may call")
    time.sleep(0.1)
    equal(node.kill(signal.SIGTERM).code, 0, "exit code")


run_cases()
