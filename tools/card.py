"""An SD card's image: one FAT partition with U-Boot's script, the kernel and its RAM disk. For QEMU (machine.py) and boards."""
import os
import re
from pathlib import Path

from program import Failure, call, tool

# U-Boot's ${kernel_addr_r} is 0x80000, where its own device tree may lie; the image goes to any 2 MiB + 0x80000.
UBOOT_KERNEL = 0x4080000
IMAGE_MIB = 64      # QEMU wants a power of two; FAT32 wants more than 33
PARTITION_START = 1 << 20
# Directory entries, tables, and files that end within a cluster.
FAT_OVERHEAD = 2 << 20


def boot_script(arguments: str, scratch: Path) -> Path:
    """boot.scr, which starts kernel8.img with initrd.cpio and these boot arguments."""
    if re.search(r"['\"\\$;]", arguments):
        raise Failure("ARGS with quotes, backslashes, `$` or `;` cannot go through U-Boot")
    script, made = scratch / "boot.txt", scratch / "boot.scr"
    # ${fdtcontroladdr} is U-Boot's device tree, on a board the firmware's; booti writes bootargs and the RAM disk into it.
    script.write_text(
        f"setenv bootargs '{arguments}'\n"
        f"fatload mmc 0:1 {UBOOT_KERNEL:#x} kernel8.img\n"
        "fatload mmc 0:1 ${ramdisk_addr_r} initrd.cpio\n"
        f"booti {UBOOT_KERNEL:#x} ${{ramdisk_addr_r}}:${{filesize}} ${{fdtcontroladdr}}\n")
    call([tool("mkimage", "MKIMAGE", "u-boot-tools"), "-A", "arm64", "-O", "linux", "-T", "script", "-C", "none",
          "-d", str(script), str(made)])
    return made


def make_image(image: Path, files: dict[str, Path]) -> None:
    """Partition table and FAT; `files` by their names on the card."""
    total = sum(path.stat().st_size for path in files.values())
    if total > (IMAGE_MIB << 20) - PARTITION_START - FAT_OVERHEAD:
        raise Failure(f"The card's files are {total >> 20} MiB, its image has room for {IMAGE_MIB - 3}")
    with image.open("wb") as file:
        file.truncate(IMAGE_MIB << 20)
    call([tool("sfdisk", "SFDISK", "fdisk"), "-q", str(image)], f"start={PARTITION_START // 512}, type=c\n")
    mtools = os.environ.get("MTOOLS", "")
    mcopy = Path(mtools) / "mcopy" if mtools else Path(tool("mcopy", "MTOOLS", "mtools"))
    partition = f"{image}@@{PARTITION_START}"
    call([str(mcopy.with_name("mformat")), "-i", partition, "-F", "-v", "FORKLORE", "::"])
    for name, path in files.items():
        call([str(mcopy), "-i", partition, str(path), f"::{name}"])
