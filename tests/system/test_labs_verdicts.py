"""What is the submission's doing and what is the host's: the grader's own units, without a grading."""
import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from support import ROOT, Case

sys.path.insert(0, str(ROOT / "labs"))
from grader import __main__ as verbs             # noqa: E402
from grader import class_run, compiling, look, reference, report, sandbox, similarity  # noqa: E402
from grader.class_plan import members, passed_over, stored_names  # noqa: E402
from grader.class_run import Options            # noqa: E402
from grader.class_store import Store            # noqa: E402
from grader.compiling import Front              # noqa: E402
from grader.grade import Printer, Request, again  # noqa: E402
from grader.handin import collect               # noqa: E402
from grader.inspection import Refused           # noqa: E402
from grader.lab import Failure, Lab, load       # noqa: E402
from grader.target_tier import Machine         # noqa: E402
from grader.verdict import Outcome, Report, Verdict  # noqa: E402

GOOD, BAD = b"int good;\n", b"int bad(\n"
BOMB = b"""constexpr long spin(long times) { long made = 0; for (long i = 0; i < times; i++) made ^= i; return made; }
static_assert(spin(1L << 60) != 1);
"""


class Tools(Case):
    """Compiler and linker of which the host, not the text, is the trouble."""

    def compile(self, source: bytes, *flags: str) -> Path:
        self.folder.chmod(0o755)
        (self.folder / "headers" / "src/kernel").mkdir(parents=True, exist_ok=True)
        (self.folder / "headers" / "src/kernel/greeting.cpp").touch()
        with mock.patch("grader.inspection.check_text"), mock.patch("grader.inspection.check_sections"):
            return compiling.compile_file(load(0), Front("g++", ["-std=c++20", *flags]), self.folder, 0, source)

    def in_place_of(self, tool: str, script: str) -> None:
        """What the compiler's driver starts instead of its own `tool`, in each sandbox."""
        programs = self.folder / "programs"
        programs.mkdir()
        (programs / tool).write_text(f"#!/bin/sh\n{script}\n")
        (programs / tool).chmod(0o755)
        bubblewrap = sandbox.bubblewrap
        patched = mock.patch("grader.sandbox.bubblewrap", lambda place, check: [*bubblewrap(place, check), "--ro-bind", str(programs), "/programs", "--setenv", "COMPILER_PATH", "/programs"])
        patched.start()
        self.addCleanup(patched.stop)

    def test_a_text_is_taken_and_a_bad_one_refused(self) -> None:
        self.assertTrue(self.compile(GOOD).is_file())
        with self.assertRaisesRegex(Refused, "does not compile:\n.*greeting.cpp:1:"):
            self.compile(BAD)

    def test_a_disk_that_is_full(self) -> None:
        full = self.folder / "target0"
        full.mkdir()
        if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(full)], capture_output=True).returncode:
            self.skipTest("no file system of a few pages can be made here")
        self.addCleanup(subprocess.run, ["umount", str(full)])
        (full / "filled").write_bytes(bytes(4096))
        with self.assertRaisesRegex(Failure, "No space left"):
            self.compile(GOOD)

    def test_a_compiler_that_is_killed(self) -> None:
        self.in_place_of("cc1plus", "kill -9 $$")
        with self.assertRaisesRegex(Failure, "Killed signal"):
            self.compile(GOOD)

    def test_an_assembler_that_is_killed(self) -> None:
        self.in_place_of("as", "kill -9 $$")
        with self.assertRaisesRegex(Failure, "Killed signal"):
            self.compile(GOOD)

    def test_a_compiler_that_fails_whatever_it_is_given(self) -> None:
        self.in_place_of("as", "echo 'as: out of something' >&2; exit 1")
        with self.assertRaisesRegex(Failure, "whatever it is given: as: out of something"):
            self.compile(GOOD)

    def test_a_text_that_speaks_of_the_host_is_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "does not compile"):
            self.compile(b'static_assert(false, "No space left on device");\nstatic_assert(false, "g++: Killed signal terminated program cc1plus");\n')

    def test_a_text_that_takes_the_compilers_time_is_refused(self) -> None:
        with mock.patch("grader.compiling.COMPILE", sandbox.Limits(cpu_seconds=2)), self.assertRaisesRegex(Refused, "more than 2 s of processor time"):
            self.compile(BOMB, "-fconstexpr-loop-limit=2000000000", "-fconstexpr-ops-limit=900000000000")

    def test_the_limit_of_another_is_not_the_texts(self) -> None:
        self.in_place_of("cc1plus", "kill -XCPU $$")
        with self.assertRaisesRegex(Failure, "CPU time limit"):
            self.compile(GOOD)

    def link(self, text: str) -> Path:
        self.folder.chmod(0o755)
        for name, source in (("rest", "int submitted(); int main() { return submitted(); }"), ("file", text)):
            subprocess.run(["g++", "-x", "c++", "-c", "-", "-o", str(self.folder / f"{name}.o")], input=source.encode(), check=True)
        work = sandbox.writable(self.folder / "link")
        return compiling.link(["g++", "/in/rest.o"], [(self.folder / "rest.o", "/in/rest.o")], [self.folder / "file.o"], [], work, "made")

    def test_objects_link_or_are_refused(self) -> None:
        self.assertTrue(self.link("int submitted() { return 0; }").is_file())
        with self.assertRaisesRegex(Refused, "undefined reference"):
            self.link("int other(); int submitted() { return other(); }")

    def test_a_linker_that_is_killed(self) -> None:
        self.in_place_of("ld", "kill -9 $$")
        with self.assertRaisesRegex(Failure, "signal 9"):
            self.link("int submitted() { return 0; }")

    def test_objects_that_the_linker_refuses_without_a_place(self) -> None:
        self.in_place_of("ld", 'case "$*" in *file0.o*) echo "ld: too much of something" >&2; exit 1;; esac; exec /usr/bin/ld "$@"')
        with self.assertRaisesRegex(Refused, "too much of something"):
            self.link("int submitted() { return 0; }")

    def test_a_linker_that_fails_whatever_it_is_given(self) -> None:
        self.in_place_of("ld", "echo 'ld: a broken plug-in' >&2; exit 1")
        with self.assertRaisesRegex(Failure, "whatever it is given: ld: a broken plug-in"):
            self.link("int submitted() { return 0; }")


class Tables:
    """A debug port that shows page tables: the descriptors of each table by its address."""

    def __init__(self, tables: dict[int, list[int]]) -> None:
        self.tables = tables

    def memory(self, address: int, size: int) -> bytes:
        return b"".join(entry.to_bytes(8, "little") for entry in self.tables[address]).ljust(size, b"\0")


class Look(Case):
    def pages(self, tables: dict[int, list[int]]) -> dict[int, int]:
        return look.Memory(Tables(tables), None).pages(0x1000)     # type: ignore[arg-type]

    def test_pages_lie_where_the_tables_say(self) -> None:
        self.assertEqual(self.pages({0x1000: [0, 0x2003], 0x2000: [0, 0, 0x3003], 0x3000: [0, 0, 0, 0x9003]}), {(1 << 30) + (2 << 21) + (3 << 12): 0x9003})

    def test_tables_that_lead_to_one_another(self) -> None:
        with self.assertRaisesRegex(look.Wrong, "more memory than the machine has"):
            self.pages({0x1000: [0x2003] * 512, 0x2000: [0x3003] * 512, 0x3000: [0x9003] * 512})
        with self.assertRaisesRegex(look.Wrong, "more memory than the machine has"):
            self.pages({0x1000: [0x2003], 0x2000: [0x3003] * 512, 0x3000: [0x9003] * 512})


class Sandboxes(Case):
    def test_each_has_a_user_of_its_own(self) -> None:
        if os.geteuid():
            self.skipTest("only root gives away users")
        self.folder.chmod(0o755)
        work = sandbox.writable(self.folder / "work")
        users = set()
        for _ in range(3):      # what one left another writes to
            ended = sandbox.run(["sh", "-c", "id -u; echo more >> kept"], sandbox.Place(write=[(work, "/work")], directory="/work"), sandbox.Limits())
            self.assertTrue(ended.good, ended)
            users.add(ended.output)
        self.assertEqual(len(users), 3)
        self.assertEqual((work / "kept").read_text(), "more\n" * 3)

    def test_a_persons_other_processes_do_not_count(self) -> None:
        """A desktop has more than 64 of them."""
        program = f"""import subprocess, sys
sys.path.insert(0, {str(ROOT / "labs")!r})
from grader import sandbox
others = [subprocess.Popen(["sleep", "1000"]) for _ in range(70)]
try:
    print(sandbox.run(["true"], sandbox.Place(), sandbox.Limits()))
finally:
    for other in others:
        other.kill()
"""
        someone = ["setpriv", "--reuid=64998", "--regid=64998", "--clear-groups"] if os.geteuid() == 0 else []
        done = subprocess.run([*someone, sys.executable, "-B", "-c", program], capture_output=True, text=True, cwd="/")
        self.assertIn("why='exit', status=0", done.stdout, done.stderr)

    def test_threads_are_counted(self) -> None:
        program = "import threading, time\nfor _ in range(20): threading.Thread(target=time.sleep, args=(1000,)).start()"
        with mock.patch("grader.sandbox.sandbox_user", lambda: None):
            ended = sandbox.run(["python3", "-c", program], sandbox.Place(), sandbox.Limits(processes=10))
        self.assertEqual(ended.why, "tasks")

    def test_what_sleeps_and_wakes_without_end_is_not_the_hosts_doing(self) -> None:
        def verdict(asleep: Callable[[int], bool]) -> str:
            """Of a program that ran between any two looks."""
            watch = sandbox.Watch(os.getpid(), sandbox.Limits(), None)
            for look in range(100):
                with mock.patch("grader.sandbox.descendants", lambda _: [1]), \
                        mock.patch("grader.sandbox.activity", lambda _: sandbox.Activity(asleep(look), (look,), 0, 0, 1)):
                    if look == 99:
                        watch.start -= watch.limits.wall_seconds + 1
                    why = watch.verdict()
                    self.assertEqual(bool(why), look == 99)
            return why

        self.assertEqual(verdict(lambda look: look % 20 != 0), "restless")
        # A thread that waits for a processor is ready to run.
        self.assertEqual(verdict(lambda look: look % 5 != 0), "wall")


class ClassNames(Case):
    def test_a_name_that_is_no_text_has_a_row(self) -> None:
        os.makedirs(os.fsencode(self.folder) + b"/class/caf\xe9")
        (self.folder / "class" / ".hidden").mkdir()
        found = members(load(0), self.folder / "class")
        self.assertEqual([member.name for member in found], [r"caf\xe9"])
        self.assertTrue(found[0].path.is_dir())
        self.assertEqual(passed_over(self.folder / "class"), [".hidden"])
        store = Store(self.folder / "results.sqlite")
        self.addCleanup(store.base.close)
        self.assertFalse(store.knows(found[0], "checks"))
        store.keep_only([found[0].name])

    def test_no_two_have_the_same(self) -> None:
        stored = stored_names([r"caf\xe9", "caf\udce9", r"caf\xe9'", "\u00e9"])
        self.assertEqual(len(set(stored.values())), 4)
        self.assertEqual((stored[r"caf\xe9"], stored["\u00e9"]), (r"caf\xe9", "\u00e9"))


class Alike(Case):
    def test_marks_stand_when_hand_ins_can_not_be_compared(self) -> None:
        (self.folder / "class" / "ada").mkdir(parents=True)
        out = self.folder / "out"
        out.mkdir()
        results = {"score": 5, "tests": [], "extra_data": {"verdict": "fail", "full": 10, "refused": "", "broken": "", "seed": 1}}

        def run(lab: Lab, options: Options) -> int:
            Store(options.out / "results.sqlite").add(members(lab, options.submissions)[0], "checks", results)
            return 0

        asked = {"FORKLORE_LAB": "0", "FORKLORE_SUBMISSIONS": str(self.folder / "class"), "FORKLORE_OUT": str(out)}
        with mock.patch.dict(os.environ, asked), mock.patch("grader.class_run.run", run), contextlib.redirect_stdout(io.StringIO()) as said, \
                mock.patch("grader.sandbox.run", lambda *_: sandbox.Ended("cpu", errors=b"<b>")):
            self.assertEqual(verbs.grade_class_verb(), 0)
        self.assertIn("not compared with each other: sim_c++ did not do its work (cpu", said.getvalue())
        self.assertEqual((out / "scores.csv").read_text().splitlines()[1], "ada,5,10,fail,")
        self.assertIn("not compared with each other: sim_c++ did not do its work (cpu 0): &lt;b&gt;", page := (out / "class.html").read_text())
        self.assertNotIn("report.html", page, "there is none")

    def test_a_long_repetition_is_cut(self) -> None:
        self.assertLess(len(similarity.own_text(load(0), {"src/kernel/greeting.cpp": "int x = {" + "1," * 100_000})), 40_000)


class Statuses(Case):
    def main(self, *words: str, **verb: Callable[[], int]) -> int:
        with mock.patch.dict(verbs.VERBS, verb), mock.patch.dict(os.environ), mock.patch("sys.argv", ["grader", *words]), \
                contextlib.redirect_stderr(io.StringIO()):
            return verbs.main()

    def test_what_the_grader_fails_at_is_no_failed_hand_in(self) -> None:
        for error in (OSError(28, "No space left on device"), subprocess.CalledProcessError(1, "nm"), ValueError("json"), Failure("so")):
            with self.subTest(error=error):
                self.assertEqual(self.main("tried", tried=mock.Mock(side_effect=error)), 2)

    def test_a_seed_that_is_none(self) -> None:
        for seed in ("1" + "0" * 30, "\u00b2", "-1"):
            with self.subTest(seed=seed):
                self.assertEqual(self.main("grade", "LAB=0", f"SEED={seed}", f"OUT={self.folder}"), 2)

    def test_an_old_verdict_is_gone_when_there_is_no_new_one(self) -> None:
        old = self.folder / "results.json"
        old.write_text("{}")
        with mock.patch("grader.reference.prepare", side_effect=Failure("does not build")), contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(self.main("grade", "LAB=0", f"OUT={self.folder}"), 2)
        self.assertFalse(old.exists())

    def test_a_report_of_nothing(self) -> None:
        """One check of the machine, in a tree in which no machine can be built."""
        lab = load(2)
        only = lab.tier("target")[0].id
        report.write(Report(lab, 1, only=only, left_out="no compiler"), Request(lab, self.folder, only=only), self.folder)
        self.assertTrue((self.folder / "report.html").is_file())


class Prepared(Case):
    def files(self) -> reference.Files:
        headers = self.folder / "headers"
        (headers / "src").mkdir(parents=True)
        (headers / "src/pid.h").write_text("one")
        for name in ("rest.o", "rest.a", "bare.o"):
            (self.folder / name).write_text(name)
        rest, archive, bare = (self.folder / name for name in ("rest.o", "rest.a", "bare.o"))
        return reference.Files([reference.HostFiles("check", headers, rest, bare, archive, "g++", ["-O1"], [])])

    def test_all_that_judges_is_in_the_digest(self) -> None:
        files = self.files()
        digests = {reference.digest(files), reference.digest(files)}
        self.assertEqual(len(digests), 1)
        for path in ("headers/src/pid.h", "rest.o", "rest.a"):      # a header that only checks include is in the object
            (self.folder / path).write_text("other")
            digests.add(reference.digest(files))
        files.host[0].flags.append("-O2")
        digests.add(reference.digest(files))
        self.assertEqual(len(digests), 5)

    def test_what_a_class_is_judged_with_stays_as_it_was(self) -> None:
        files = self.files()
        before = reference.digest(files)
        copy = reference.copied(files, self.folder / "apart")
        self.assertEqual(reference.digest(copy), before)
        (self.folder / "rest.o").write_text("of another edit")
        (self.folder / "headers/src/pid.h").write_text("of another edit")
        self.assertEqual(reference.digest(copy), before)

    def test_two_in_one_folder(self) -> None:
        with class_run.only_one(self.folder / "out"), self.assertRaisesRegex(Failure, "another grade-class is at work there"), class_run.only_one(self.folder / "out"):
            pass
        with class_run.only_one(self.folder / "out"):
            pass


class Clock:
    """A debug port with nothing but the guest's time."""

    def __init__(self) -> None:
        self.now, self.ended = 0.0, False

    def stop(self) -> None: ...
    def go_on(self) -> None: ...

    def end(self) -> None:
        self.ended = True

    def guest_seconds(self) -> float:
        return self.now


class GuestTime(Case):
    def ended_after(self, guest_seconds_each: float) -> float | None:
        """Processor seconds after which the check was ended; None: it had a minute."""
        check = load(2).tier("target")[0]
        machine = Machine(None, [check], 1, lambda *_: "", lambda _: None)     # type: ignore[arg-type]
        machine.current, machine.begun_guest, machine.port = check, None, (clock := Clock())    # type: ignore[assignment]
        for cpu in range(1, 61):
            machine.used(cpu)
            clock.now += guest_seconds_each
            with mock.patch.object(Machine, "where_all_are", lambda _: []):
                machine.watch()
            if clock.ended:
                return cpu
        return None

    def test_how_slow_the_host_is_ends_no_check(self) -> None:
        check = load(2).tier("target")[0]
        self.assertIsNone(self.ended_after(check.guest_seconds / 60))
        late = self.ended_after(0.5)        # a usual host: the guest's own time is over
        assert late
        self.assertGreater(late * 0.5, check.guest_seconds)
        still = self.ended_after(0.001)
        assert still
        self.assertGreater(still, check.cpu_seconds)


class Said(Case):
    def test_a_failure_gives_the_terminal_no_orders(self) -> None:
        check = load(0).checks[0]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            Printer(Request(load(0), self.folder))(Outcome(check, Verdict.FAIL, "panic: \x1b]0;owned\x07"))
        self.assertIn("owned", said.getvalue())
        self.assertNotRegex(said.getvalue(), "[\x1b\x07]")

    def test_a_folder_with_a_space_is_one_word(self) -> None:
        outcome = Outcome(load(0).checks[0], Verdict.FAIL)
        self.assertIn("SUBMISSION='/hand ins/ada' ", again(outcome, Request(load(0), Path("/hand ins/ada"))))

    def test_a_second_file_of_the_name_is_named(self) -> None:
        for place in ("src/kernel/greeting.cpp", "greeting.cpp"):
            (self.folder / place).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / place).write_bytes(GOOD)
        self.assertEqual(collect(load(0), self.folder).ignored, ["greeting.cpp"])
        (self.folder / "src/kernel/greeting.cpp").unlink()
        self.assertEqual(collect(load(0), self.folder).ignored, [])
