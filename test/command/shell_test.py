#!/usr/bin/env python3
"""The command on a terminal: the shell, the progress bar, who sees what."""
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import command_driver
from command_driver import BINARY, ENVIRONMENT, LONG, Terminal, expect, expect_in

PROMPT, MORE = r"arbalest> ", r" \.\.\. "


def shell(**more):
    terminal = Terminal("sql", **more)
    terminal.wait(PROMPT)
    return terminal


def leave(terminal):
    terminal.type("quit\n")
    expect(terminal.status(), 0)


def test_statements_over_several_lines():
    with shell() as t:
        expect_in("(1 row)", t.talk("select 40 +\n", MORE) + t.talk("2 as answer;\n", r"42[\s\S]*" + PROMPT))
        t.talk("select 'a\n", MORE)
        expect_in("a\\nb", t.talk("b' as x;\n", r"\(1 row\)[\s\S]*" + PROMPT))
        t.talk("/* a comment;\n", MORE)
        expect_in(" 7", t.talk("*/ select 7;\n", r"\(1 row\)[\s\S]*" + PROMPT))
        text = t.talk("select 1 as one; select 2 as two;\n", r"two[\s\S]*\(1 row\)[\s\S]*" + PROMPT)
        expect(len(re.findall(r"\(1 row\)", text)), 2)
        t.talk("select 5 as a; select\n", r"\(1 row\)[\s\S]*" + MORE)
        expect_in(" 6", t.talk("6 as b;\n", r"\(1 row\)[\s\S]*" + PROMPT))
        leave(t)


def test_errors_do_not_end_it():
    with shell() as t:
        expect_in("^", t.talk("select nothing;\n", r"error: 42703[\s\S]*" + PROMPT))
        # what stands behind an error was written in the belief that it works
        text = t.talk("select 1/0; select 77 as later;\n", r"error: 22012[\s\S]*" + PROMPT)
        assert "(1 row)" not in text, text
        expect_in("(1 row)", t.talk("select 1;\n", r"\(1 row\)[\s\S]*" + PROMPT))
        leave(t)


def test_counts_of_what_gives_no_rows():
    with shell() as t:
        t.talk("create table mything (abc int);\n", PROMPT)
        t.talk("insert into mything values (1), (2);\n", r"INSERT 2[\s\S]*" + PROMPT)
        leave(t)


def test_interrupt_drops_the_line_or_the_statement():
    with shell() as t:
        t.talk("select a", "select a")
        t.talk("\x03", PROMPT)
        t.talk("select\n", MORE)
        t.talk("\x03", PROMPT)  # and what was typed so far
        expect_in(" 3", t.talk("select 3;\n", r"\(1 row\)[\s\S]*" + PROMPT))
        t.talk(LONG + ";\n", "%")
        t.talk("\x03", r"error: 57014[\s\S]*" + PROMPT)
        expect_in(" 4", t.talk("select 4;\n", r"\(1 row\)[\s\S]*" + PROMPT))
        leave(t)


def test_interrupt_while_rows_are_shown():
    with shell() as t:
        t.talk("select * from range(100000000) r(x);\n", r"\n +\d{5,}\r")
        t.talk("\x03", r"error: 57014[\s\S]*" + PROMPT)
        expect_in(" 5", t.talk("select 5;\n", r"\(1 row\)[\s\S]*" + PROMPT))
        leave(t)


def test_completion():
    with shell() as t:
        t.talk("create table mything (abcdef int);\n", PROMPT)
        t.talk("insert into myth\t", "ing ")
        t.talk("values (1);\n", r"INSERT 1[\s\S]*" + PROMPT)
        t.talk("select abc\t", "abc")  # no table yet: nothing that fits
        t.talk("\x03", PROMPT)
        t.talk("sel\t", "ect ")
        t.talk("* from mything;\n", r"\(1 row\)[\s\S]*" + PROMPT)
        t.talk("SEL\t", "ECT ")
        t.talk("max(abc) from mything where abc\x01\x05\x7f\x7f\x7f", "where")  # arrows and rubbing out
        t.talk("\x03", PROMPT)
        leave(t)


def test_interrupts_between_keys():
    """Ctrl-C takes with it what was typed and not read yet, whether that has been seen to be there or not."""
    with shell() as t:
        for _ in range(100):
            t.talk("select abcdefghijklmnopqrstuvwxyz", "abc")
            t.talk("\x03", PROMPT)
        leave(t)


def test_history():
    with tempfile.TemporaryDirectory() as state:
        with shell(XDG_STATE_HOME=state) as t:
            t.talk("select 12345 as first_time;\n", r"\(1 row\)[\s\S]*" + PROMPT)
            t.talk("\x1b[A", "select 12345 as first_time;")
            t.talk("\n", r"\(1 row\)[\s\S]*" + PROMPT)
            leave(t)
        path = pathlib.Path(state, "arbalest/history")
        assert path.exists()
        expect(path.parent.stat().st_mode & 0o77, 0)  # for nobody else to read
        with shell(XDG_STATE_HOME=state) as t:  # "quit" came last
            t.talk("\x1b[A\x1b[A", "select 12345 as first_time;")
            t.talk("\x03", PROMPT)
            leave(t)


def test_words_of_the_shell():
    with shell() as t:
        expect_in("SHOW TABLES", t.talk("help\n", r"quit[\s\S]*" + PROMPT))
        t.type("exit\n")
        expect(t.status(), 0)
    with shell() as t:
        time.sleep(0.3)  # the terminal's own line editing is off by then
        t.type("\x04")  # the end of input
        expect(t.status(), 0)


def test_the_table_is_the_format_of_terminals_only():
    with Terminal("sql", "-c", "select 1 as a") as t:
        expect_in("(1 row)", t.wait(r"\(1 row\)"))
        expect(t.status(), 0)
    with tempfile.TemporaryFile() as out, Terminal("sql", "-c", "select 1 as a", stdout=out) as t:
        expect(t.status(), 0)
        out.seek(0)
        expect(out.read(), b"a\n1\n")
    with Terminal("sql", "--format", "csv", "-c", "select 1 as a") as t:
        assert "(1 row)" not in t.wait("a\r?\n1")


def test_progress_bar_on_a_terminal_only():
    with tempfile.TemporaryFile() as out, Terminal("sql", "-c", LONG, stdout=out) as t:
        expect_in("[", t.wait(r"\[[# ]{40}\] +\d+%"))  # standard error is the terminal
        t.process.send_signal(signal.SIGINT)
        t.wait("error: 57014")
        expect(t.status(), 130)
    process = subprocess.Popen([BINARY, "sql", "-c", LONG], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=ENVIRONMENT)
    try:
        process.communicate(timeout=1.2)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    expect((out, err.split(b":")[0]), (b"", b"error"))
    with Terminal("sql", "-c", "select 1 as a") as t:  # what is quick has none
        assert "%" not in t.wait(r"\(1 row\)")


def test_the_bar_goes_before_the_rows():
    slow = "select x from range(3000000) r(x) order by x * 7919 % 1000003 limit 3"
    with Terminal("sql", "-c", f"{slow}; select count(*) from range(20000000) r(x) where x % 7 = 8") as t:
        text = t.wait(r"\(1 row\)[\s\S]*\(1 row\)|\(3 rows\)[\s\S]*\(1 row\)", 60)
        for line in text.replace("\r\n", "\n").split("\n"):
            assert not re.search(r"%\s*\d", line.split("\x1b[K")[-1]), text


def test_ending_signal_ends_the_shell():
    for number in (signal.SIGTERM, signal.SIGHUP):
        with shell() as t:
            t.talk("select 1", "select 1")
            t.process.send_signal(number)
            expect(t.status(), -number)


def test_quit_restores_the_terminal():
    with shell() as t:
        import termios
        before = termios.tcgetattr(t.leader)
        leave(t)
        after = termios.tcgetattr(t.leader)
        assert after[3] & termios.ECHO and after[3] & termios.ICANON, (before, after)


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
