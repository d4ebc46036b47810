"""The emulated machine: which files it starts from and QEMU's command line. Used by run.py and the tests."""
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

TOOLS = Path(__file__).resolve().parent
# Nothing in the guest may reach the host: no semihosting, and QEMU itself may not start programs.
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
BOOT_ARGUMENTS_MAX = 255    # ForkloreSysinfo::boot_arguments holds one more
# U-Boot's ${kernel_addr_r} is 0x80000, where its own device tree lies; the image goes to any 2 MiB + 0x80000.
UBOOT_KERNEL = 0x4080000
SD_IMAGE_MIB = 64   # QEMU wants a power of two; FAT32 wants more than 33


class Failure(Exception):
    """A sentence for the user."""


def tool(name: str, variable: str, package: str) -> str:
    """The path of a program, from the variable or PATH."""
    wanted = os.environ.get(variable) or name
    # fdisk's programs are in /usr/sbin, which is not in a user's PATH.
    found = shutil.which(wanted) or shutil.which(wanted, path="/usr/sbin:/sbin")
    if not found:
        raise Failure(f"There is no {wanted} here: install {package} (`make setup` does), or set {variable} to its path. "
                      "`make doctor` checks everything.")
    return found


def call(command: list[str], text: str | None = None, **settings) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, **settings)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Failure(f"{Path(command[0]).name} failed: {said[-1] if said else f'status {done.returncode}'}")


@dataclass
class Options:
    """What the user asked for; the names are those of make's variables."""
    build: Path = Path("build")
    kernel: str = ""
    initrd: str = ""
    dtb: str = ""
    cmd: str | None = None
    timeout: int = 0
    icount: bool = False
    boot: str = "direct"
    gdb: bool = False
    gdb_port: int = 1234
    add: str = ""
    seed: str = ""
    args: str = ""
    accel: str = "single"
    serial1: str = "null"
    extra: list[str] = field(default_factory=list)

    def boot_arguments(self) -> str:
        words = []
        if self.cmd is not None:
            # Spaces part arguments; quotes, backslashes, `$` and `;` mean something to U-Boot's shell.
            words += ["quiet", "cmd=" + quote(self.cmd, safe="/:,.=+@_-~!*()[]{}<>|&?^")]
        if self.timeout:
            words.append(f"timeout={self.timeout}")
        if self.seed:
            words.append(f"seed={self.seed}")
        line = " ".join([*words, *self.args.split()])
        if len(line) > BOOT_ARGUMENTS_MAX:
            raise Failure(f"The boot arguments are {len(line)} characters, {BOOT_ARGUMENTS_MAX} are the most: "
                          "put a long command into a script and add it with ADD=folder")
        return line


def existing(path: Path, what: str, fix: str) -> Path:
    if not path.is_file():
        raise Failure(f"There is no {what} {path}: {fix}")
    return path


def kernel_image(options: Options) -> Path:
    if options.kernel:
        return existing(Path(options.kernel), "kernel image", "KERNEL must name a raw image such as build/kernel/kernel8.img")
    return existing(options.build / "kernel" / "kernel8.img", "kernel image", "type `make kernel`")


def initial_ramdisk(options: Options, scratch: Path) -> Path:
    """The usual archive, or one with the files of ADD under /add."""
    if options.initrd:
        return existing(Path(options.initrd), "RAM disk", "INITRD must name a cpio archive")
    usual = options.build / "initrd.cpio"
    if not options.add:
        return existing(usual, "RAM disk", "type `make initrd`")
    if not Path(options.add).is_dir():
        raise Failure(f"ADD={options.add}: there is no such folder")
    entries = existing(options.build / "user" / "initrd.list", "list of the RAM disk's files", "type `make initrd`").read_text().split()
    made = scratch / "initrd.cpio"
    done = subprocess.run([sys.executable, str(TOOLS / "mkinitrd.py"), str(made), *entries, f"add={options.add}"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(done.stderr.strip())
    return made


def sd_image(options: Options, scratch: Path, kernel: Path, initrd: Path) -> Path:
    """A card as the firmware would see it: one FAT partition with the kernel, the RAM disk and boot.scr."""
    arguments = options.boot_arguments()
    if re.search(r"['\"\\$;]", arguments):
        raise Failure("ARGS with quotes, backslashes, `$` or `;` cannot go through U-Boot")
    script = scratch / "boot.txt"
    # ${fdtcontroladdr} is U-Boot's own device tree; booti writes bootargs and the RAM disk into it.
    script.write_text(
        f"setenv bootargs '{arguments}'\n"
        f"fatload mmc 0:1 {UBOOT_KERNEL:#x} kernel8.img\n"
        "fatload mmc 0:1 ${ramdisk_addr_r} initrd.cpio\n"
        f"booti {UBOOT_KERNEL:#x} ${{ramdisk_addr_r}}:${{filesize}} ${{fdtcontroladdr}}\n")
    boot = scratch / "boot.scr"
    call([tool("mkimage", "MKIMAGE", "u-boot-tools"), "-A", "arm64", "-O", "linux", "-T", "script", "-C", "none",
          "-d", str(script), str(boot)])
    image = scratch / "sd.img"
    with image.open("wb") as file:
        file.truncate(SD_IMAGE_MIB << 20)
    call([tool("sfdisk", "SFDISK", "fdisk"), "-q", str(image)], "start=2048, type=c\n")
    mtools = os.environ.get("MTOOLS", "")
    mcopy = str(Path(mtools) / "mcopy") if mtools else tool("mcopy", "MTOOLS", "mtools")
    partition = f"{image}@@1M"
    call([str(Path(mcopy).with_name("mformat")), "-i", partition, "-F", "::"])
    for file, name in ((kernel, "kernel8.img"), (initrd, "initrd.cpio"), (boot, "boot.scr")):
        call([mcopy, "-i", partition, str(file), f"::{name}"])
    return image


# Where the Raspberry Pi's firmware puts kernel8.img.
LOAD_ADDRESS = 0x80000


def command_line(options: Options, scratch: Path, serial0: str = "stdio") -> list[str]:
    """QEMU's command line; makes the files that it needs in `scratch`."""
    kernel, initrd = kernel_image(options), initial_ramdisk(options, scratch)
    command = [tool("qemu-system-aarch64", "QEMU", "qemu-system-arm"), "-M", "raspi3b", "-sandbox", SANDBOX,
               "-display", "none", "-monitor", "none", "-no-reboot", "-nodefaults"]
    if options.icount:
        # One instruction is one nanosecond of guest time; idle time is skipped, so host speed is not seen.
        command += ["-icount", "shift=0,sleep=off"]
    else:
        # One host thread for all four cores: on few host cores it is steadier than one each.
        command += ["-accel", f"tcg,thread={options.accel}"]
    if options.icount or options.seed:
        command += ["-seed", str(sum(options.seed.encode(), 1))]
    command += ["-serial", serial0, "-serial", options.serial1]
    if options.gdb:
        command += ["-gdb", f"tcp:127.0.0.1:{options.gdb_port}", "-S"]
    if options.boot == "uboot":
        uboot = existing(options.build / "uboot" / "u-boot.bin", "U-Boot", "type `make uboot`, or set UBOOT to a u-boot.bin")
        card = sd_image(options, scratch, kernel, initrd)
        command += ["-kernel", str(uboot), "-drive", f"file={card},if=sd,format=raw"]
    elif options.boot == "direct":
        tree = Path(options.dtb) if options.dtb else options.build / "rpi3.dtb"
        command += ["-kernel", str(kernel), "-dtb", str(existing(tree, "device tree", "type `make build/rpi3.dtb`")),
                    "-initrd", str(initrd), "-append", options.boot_arguments()]
    elif options.boot == "bare":
        image = Path(options.kernel) if options.kernel else options.build / "forklore.img"
        existing(image, "image of kernel and RAM disk", "type `make standalone`")
        command += ["-device", f"loader,file={image},addr={LOAD_ADDRESS:#x},force-raw=on"]
        for core in range(4):
            command += ["-device", f"loader,addr={LOAD_ADDRESS:#x},cpu-num={core}"]
    else:
        raise Failure(f"BOOT={options.boot}: only `direct`, `uboot` and `bare` are known")
    return command + options.extra
