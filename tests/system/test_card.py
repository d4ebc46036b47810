"""The SD card: what is on its image, that U-Boot starts from it, and which devices it is written to."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest.mock
from pathlib import Path

from support import BUILD, GUARD_SECONDS, ROOT, Case

sys.path.insert(0, str(ROOT / "tools"))
import card  # noqa: E402
import flash  # noqa: E402
import machine  # noqa: E402
import sdcard  # noqa: E402
from program import Failure, tool  # noqa: E402


class InFolder(Case):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="forklore-card-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def refusal(self, what, *arguments) -> str:
        with self.assertRaises(Failure) as caught:
            what(*arguments)
        return str(caught.exception)


class Image(InFolder):
    def firmware(self) -> Path:
        folder = self.folder / "firmware"
        folder.mkdir()
        for name in [*sdcard.NEEDED, "bcm2710-rpi-3-b.dtb", "bcm2710-rpi-zero-2-w.dtb", "bcm2711-rpi-4-b.dtb"]:
            (folder / name).write_text(f"this is {name}")
        return folder

    def make(self, firmware: str = "", **options) -> Path:
        image = self.folder / "sd.img"
        sdcard.make_card(machine.Options(build=BUILD, **options), firmware, image)
        return image

    def read(self, image: Path, name: str) -> bytes:
        done = subprocess.run([tool("mcopy", "MTOOLS", "mtools"), "-i", f"{image}@@1M", f"::{name}", "-"], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_u_boot_starts_the_kernel_from_the_very_image(self) -> None:
        image = self.make(cmd="echo from the card; exit 3")
        command = [tool("qemu-system-aarch64", "QEMU", "qemu-system-arm"), "-M", "raspi3b", "-display", "none", "-monitor", "none",
                   "-no-reboot", "-nodefaults", "-accel", "tcg,thread=single", "-serial", "stdio", "-serial", "null",
                   "-kernel", str(BUILD / "uboot" / "u-boot.bin"), "-drive", f"file={image},if=sd,format=raw"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=GUARD_SECONDS)
        self.assertIn(b"from the card", done.stdout)
        self.assertIn(b"forklore: power off, status 3", done.stdout)

    def test_the_firmware_finds_its_files_and_u_boot(self) -> None:
        image = self.make(str(self.firmware()))
        self.assertEqual(self.read(image, "bootcode.bin"), b"this is bootcode.bin")
        self.assertEqual(self.read(image, "bcm2710-rpi-zero-2-w.dtb"), b"this is bcm2710-rpi-zero-2-w.dtb")
        self.assertEqual(self.read(image, "u-boot.bin"), (BUILD / "uboot" / "u-boot.bin").read_bytes())
        self.assertEqual(self.read(image, "kernel8.img"), (BUILD / "kernel" / "kernel8.img").read_bytes())
        self.assertIn(b"\nkernel=u-boot.bin\n", self.read(image, "config.txt"))

    def test_what_the_firmware_lacks_is_named(self) -> None:
        folder = self.firmware()
        (folder / "start.elf").unlink()
        for tree in folder.glob("bcm2710-*"):
            tree.unlink()
        said = self.refusal(self.make, str(folder))
        self.assertIn("lacks start.elf, bcm2710-*.dtb", said)
        self.assertIn("there is no such folder", self.refusal(self.make, str(folder / "absent")))
        self.assertFalse((self.folder / "sd.img").exists())

    def test_too_much_for_the_image_is_told(self) -> None:
        folder = self.firmware()
        with (folder / "start.elf").open("wb") as file:
            file.truncate(card.IMAGE_MIB << 20)
        self.assertIn("its image has room for", self.refusal(self.make, str(folder)))

    def test_without_firmware_the_list_says_what_and_where(self) -> None:
        said = sdcard.advice(Path("x.img"))
        for word in (*sdcard.NEEDED, sdcard.TREES, "/boot/firmware", "FIRMWARE="):
            self.assertIn(word, said)


class Flash(InFolder):
    """A description of block devices as the system gives it, over plain files."""

    def setUp(self) -> None:
        super().setUp()
        self.image = self.folder / "forklore-sd.img"
        self.image.write_bytes(os.urandom(3 * flash.PIECE + 4711))
        self.target = self.folder / "sdz"
        self.target.write_bytes(bytes(8 << 20))
        self.mounts, self.swaps = self.folder / "mountinfo", self.folder / "swaps"
        self.mounts.write_text("21 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
        self.swaps.write_text("Filename Type Size Used Priority\n")
        self.disk = self.describe("sdz", "8:240", 16384, removable="1")
        self.part = self.describe("sdz/sdz1", "8:241", 8192, partition="1")
        self.system = flash.System(self.folder / "block", self.mounts, self.swaps, lambda path: "8:240")

    def describe(self, name: str, number: str, sectors: int, **more: str) -> Path:
        folder = self.folder / "block" / name
        (folder / "holders").mkdir(parents=True)
        for file, content in {"dev": number, "size": str(sectors), "ro": "0", **more}.items():
            (folder / file).write_text(content + "\n")
        return folder

    def run_flash(self, answer: str = "sdz\n") -> tuple[int, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), unittest.mock.patch("sys.stdin", io.StringIO(answer)):
            return flash.run(str(self.target), self.image, self.system), out.getvalue()

    def untouched(self) -> None:
        self.assertEqual(self.target.read_bytes(), bytes(8 << 20))

    def test_a_card_is_shown_asked_for_written_and_compared(self) -> None:
        status, said = self.run_flash()
        self.assertEqual(status, 0)
        self.assertIn("8 MiB", said)
        self.assertIn("sdz1: 4 MiB", said)
        self.assertIn("Type its name (sdz)", said)
        self.assertIn("compared 100%", said)
        self.assertEqual(self.target.read_bytes()[:self.image.stat().st_size], self.image.read_bytes())

    def test_any_other_answer_writes_nothing(self) -> None:
        for answer in ("", "y\n", "sda\n"):
            status, said = self.run_flash(answer)
            self.assertEqual(status, 1)
            self.assertIn("Nothing was written", said)
        self.untouched()

    def test_what_is_in_use_is_refused(self) -> None:
        self.mounts.write_text("30 1 8:241 / /media/card rw - vfat /dev/sdz1 rw\n")
        self.assertIn("sdz1 is mounted at /media/card", self.refusal(self.run_flash))
        self.mounts.write_text("")
        self.swaps.write_text("Filename Type Size Used Priority\n/dev/sdz1 partition 1 0 -2\n")
        self.assertIn("sdz1 is swap space", self.refusal(self.run_flash))
        self.swaps.write_text("")
        (self.part / "holders" / "dm-0").mkdir()
        self.assertIn("sdz1 is used by dm-0", self.refusal(self.run_flash))
        self.untouched()

    def test_what_is_no_card_is_refused(self) -> None:
        (self.disk / "removable").write_text("0\n")
        self.assertIn("like a disk of this machine", self.refusal(self.run_flash))
        (self.disk / "removable").write_text("1\n")
        (self.disk / "size").write_text(str(flash.LARGEST_CARD_GIB * 4 << 21))
        self.assertIn("like a disk of this machine", self.refusal(self.run_flash))
        (self.disk / "size").write_text("1000\n")
        self.assertIn("the image needs 3 MiB", self.refusal(self.run_flash))
        (self.disk / "size").write_text("16384\n")
        (self.disk / "ro").write_text("1\n")
        self.assertIn("is read-only", self.refusal(self.run_flash))
        (self.disk / "partition").write_text("1\n")
        self.assertIn("name the whole card", self.refusal(self.run_flash))
        self.untouched()

    def test_a_card_that_forgets_is_found_out(self) -> None:
        target = os.open(self.target, os.O_RDWR)
        self.addCleanup(os.close, target)
        with contextlib.redirect_stderr(io.StringIO()):
            flash.write(self.image, target)
            byte = os.pread(target, 1, 2_000_000)[0]
            os.pwrite(target, bytes([byte ^ 1]), 2_000_000)
            self.assertIn("from byte 2000000 on", self.refusal(flash.compare, self.image, target))
            os.ftruncate(target, 1_000_000)
            self.assertIn("from byte 1000000 on", self.refusal(flash.compare, self.image, target))

    def test_the_verb_says_what_is_wrong_with_its_words(self) -> None:
        for device, words in (("", "DEV= is wanted"), (str(self.image), "is not a block device"), ("/dev/absent", "No such file")):
            done = subprocess.run([sys.executable, str(ROOT / "tools" / "flash.py")], capture_output=True, text=True,
                                  env=os.environ | {"FORKLORE_DEV": device, "FORKLORE_BUILD": str(self.folder)})
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
