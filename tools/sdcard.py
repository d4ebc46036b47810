"""Makes the SD card's image for a Raspberry Pi 3, 3B+, 3A+ or Zero 2 W: build/forklore-sd.img. `make sdcard` calls it.

    FIRMWARE=DIR       where Raspberry Pi's own files are: the first partition of a card with Raspberry Pi OS
    CMD= TIMEOUT= SEED= ARGS=   as for make run: they become the card's boot arguments
    KERNEL= INITRD= ADD=        as for make run

Without FIRMWARE the image is complete but for those files, and the list of them is printed.
"""
import shutil
import sys
import tempfile
from pathlib import Path

import card
from machine import Options, card_files, initial_ramdisk, kernel_image, uboot_program
from program import Failure
from run import options_from_environment, text

# The board's first stages, which only Raspberry Pi gives out, and what each is. One device tree a model.
NEEDED = {"bootcode.bin": "the first stage", "start.elf": "the firmware", "fixup.dat": "its settings of memory"}
TREES = "bcm2710-*.dtb"
# enable_uart keeps the core clock still, from which U-Boot's serial line is driven (docs/boards.md).
CONFIG = """\
# Forklore: the firmware starts U-Boot, which starts kernel8.img by boot.scr.
arm_64bit=1
kernel=u-boot.bin
enable_uart=1
"""


def firmware(folder: Path) -> dict[str, Path]:
    """Raspberry Pi's files, by their names on the card."""
    if not folder.is_dir():
        raise Failure(f"FIRMWARE={folder}: there is no such folder")
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    trees = sorted(folder.glob(TREES))
    if not trees:
        missing.append(TREES)
    if missing:
        raise Failure(f"FIRMWARE={folder} lacks {', '.join(missing)}: the first partition of a card with Raspberry Pi OS has them "
                      "(mounted at /boot/firmware or /boot on the board itself)")
    return {path.name: path for path in [*(folder / name for name in NEEDED), *trees]}


def advice(image: Path) -> str:
    lines = [f"{image} is complete but for Raspberry Pi's own files. From the first partition of a card with Raspberry Pi OS",
             "(on the board: /boot/firmware or /boot), copy to the first partition of this one, beside u-boot.bin:"]
    lines += [f"    {name:16} {what}" for name, what in NEEDED.items()]
    lines += [f"    {TREES:16} the device trees, one a model",
              "or let `make sdcard FIRMWARE=that-folder` do it. The first three must be of one version."]
    return "\n".join(lines)


def make_card(options: Options, folder: str, image: Path) -> None:
    scratch = Path(tempfile.mkdtemp(prefix="forklore-"))
    try:
        files = firmware(Path(folder)) if folder else {}
        (scratch / "config.txt").write_text(CONFIG)
        files |= {"config.txt": scratch / "config.txt", "u-boot.bin": uboot_program(options)}
        files |= card_files(options, scratch, kernel_image(options), initial_ramdisk(options, scratch))
        # Whole or not at all: the name appears when the image is good.
        made = scratch / "sd.img"
        card.make_image(made, files)
        partial = image.with_suffix(".partial")
        shutil.copyfile(made, partial)
        partial.replace(image)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def main() -> int:
    try:
        options = options_from_environment()
        # A guest's time limit for commands is make run's, not a card's.
        options.timeout = options.timeout if text("TIMEOUT") else 0
        image = options.build / "forklore-sd.img"
        make_card(options, text("FIRMWARE"), image)
    except (Failure, OSError) as failure:
        print(f"make sdcard: {failure}", file=sys.stderr)
        return 1
    print(f"{image}: {image.stat().st_size >> 20} MiB, ready for `make flash DEV=/dev/sdX`" if text("FIRMWARE") else advice(image))
    return 0


if __name__ == "__main__":
    sys.exit(main())
