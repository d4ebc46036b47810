"""Our own tools against bad input; none of these needs a kernel that boots."""
import os
import subprocess
import sys

from support import BUILD, ROOT, Case, run


def tool(name: str, *arguments: str, **settings) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(ROOT / "tools" / name), *arguments], cwd=ROOT, capture_output=True,
                          text=True, **settings)


class RunMessages(Case):
    def one_sentence(self, words: str, environment: dict[str, str] | None = None, **options: str) -> None:
        result = run(environment, **options)
        self.assert_clean(result.said)
        self.assertEqual(result.status, 125)
        self.assertIn(words, result.said)

    def image(self) -> str:
        path = self.folder / "kernel.img"
        path.write_bytes(b"\0" * 64)
        return str(path)

    def test_qemu_missing_names_the_package(self) -> None:
        self.one_sentence("install qemu-system-arm", {"QEMU": "/nowhere/qemu"}, KERNEL=self.image(), INITRD=self.image())

    def test_qemu_failing_is_reported_with_its_status(self) -> None:
        self.one_sentence("QEMU ended with status", {"QEMU": "/bin/false"}, KERNEL=self.image(), INITRD=self.image(),
                          DTB=self.image())

    def test_kernel_missing(self) -> None:
        self.one_sentence("There is no kernel image", KERNEL="/nowhere/kernel8.img")

    def test_add_folder_missing(self) -> None:
        self.one_sentence("there is no such folder", KERNEL=self.image(), ADD="/nowhere")

    def test_add_into_another_ram_disk(self) -> None:
        self.one_sentence("exclude each other", KERNEL=self.image(), INITRD=self.image(), ADD=str(self.folder))

    def test_timeout_that_is_no_number(self) -> None:
        self.one_sentence("a number", TIMEOUT="soon")

    def test_command_too_long_for_the_boot_arguments(self) -> None:
        self.one_sentence("put a long command into a script", KERNEL=self.image(), INITRD=self.image(), CMD="echo " + "x" * 300)

    def test_unknown_boot_way(self) -> None:
        self.one_sentence("BOOT=floppy", KERNEL=self.image(), INITRD=self.image(), BOOT="floppy")

    def test_make_passes_a_command_on_as_typed(self) -> None:
        command = "echo \"$HOME\" '#'; ls | wc -l && false"
        done = subprocess.run(["make", f"BUILD={BUILD}", f"KERNEL={self.image()}", f"INITRD={self.image()}", "QEMU=/bin/echo",
                               f"CMD={command}", "run"], cwd=ROOT, capture_output=True, text=True)
        self.assertIn("cmd=echo%20%22%24HOME%22%20%27%23%27%3B%20ls%20|%20wc%20-l%20&&%20false", done.stdout)


class Doctor(Case):
    def test_missing_tool_names_package_and_variable(self) -> None:
        done = tool("doctor.py", env=os.environ | {"FORKLORE_QEMU": "/nowhere/qemu"})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"missing +qemu-system-arm .*apt-get install qemu-system-arm, or set QEMU")

    def test_old_version_is_named(self) -> None:
        old = self.folder / "qemu"
        old.write_text("#!/bin/sh\necho 'QEMU emulator version 5.2.0'\n")
        old.chmod(0o755)
        done = tool("doctor.py", env=os.environ | {"FORKLORE_QEMU": str(old)})
        self.assertEqual(done.returncode, 1)
        self.assertIn("is 5.2.0, 7.2 is the least", done.stdout)


class Levels(Case):
    def check(self, path: str, text: str) -> subprocess.CompletedProcess:
        file = self.folder / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
        return tool("check_levels.py", str(self.folder))

    def test_upward_include_is_named_with_its_line(self) -> None:
        done = self.check("mm/zone.cpp", '#include "mm/zone.h"\n#include "kernel/log.h"\n')
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"mm/zone.cpp:2: kernel/log.h: .* an include up")

    def test_sideways_include_is_named(self) -> None:
        self.assertIn("sideways", self.check("drivers/uart.cpp", '#include "mm/zone.h"\n').stdout)

    def test_library_header_is_named(self) -> None:
        self.assertIn("<vector> is not a freestanding", self.check("kernel/x.cpp", "#include <vector>\n").stdout)

    def test_downward_include_passes(self) -> None:
        self.assertEqual(self.check("kernel/fs/x.cpp", '#include "kernel/log.h"\n#include <cstdint>\n').returncode, 0)


class Initrd(Case):
    def archive(self, *entries: str) -> bytes:
        out = self.folder / "out.cpio"
        done = tool("mkinitrd.py", str(out), *entries)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out.read_bytes()

    def test_data_begins_on_a_page(self) -> None:
        file = self.folder / "hello"
        file.write_bytes(b"forklore" * 700)
        image = self.archive(f"bin/hello={file}", f"deep/er/hello={file}")
        first = image.index(b"forklore")
        self.assertEqual(first % 4096, 0)
        self.assertEqual(image.index(b"forklore", first + 5600) % 4096, 0)

    def test_same_files_same_archive(self) -> None:
        file = self.folder / "hello"
        file.write_text("hello")
        entries = [f"bin/b={file}", f"bin/a={file}", "bin/c=@bin/a", "tmp/"]
        first = self.archive(*entries)
        os.utime(file, (1, 1))
        self.assertEqual(first, self.archive(*reversed(entries)))

    def test_missing_file_is_named(self) -> None:
        done = tool("mkinitrd.py", str(self.folder / "out"), "bin/x=/nowhere/x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/x: there is no such file", done.stderr)
        self.assert_clean(done.stderr)

    def test_link_to_nothing_is_named(self) -> None:
        done = tool("mkinitrd.py", str(self.folder / "out"), "bin/x=@bin/y")
        self.assertIn("/bin/y, which is not in the archive", done.stderr)
