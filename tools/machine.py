"""The emulated machine: which files it starts from and QEMU's command line. Used by run.py and the tests."""
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import card
from program import Failure, existing, tool

TOOLS = Path(__file__).resolve().parent
# Nothing in the guest may reach the host: no semihosting, and QEMU itself may not start programs.
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
# The boards that QEMU has, by its names: 1 GiB and 512 MiB.
MODELS = {"3b": "raspi3b", "3a+": "raspi3ap"}
BOOT_ARGUMENTS_MAX = 255    # ForkloreSysinfo::boot_arguments holds one more


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
    model: str = "3b"
    gdb: bool = False
    gdb_port: int = 1234
    add: str = ""
    seed: str = ""
    args: str = ""
    accel: str = "single"
    count: str = ""         # a file where a debugger reads how many instructions were executed (tools/qemu/count.cpp)
    stop: str = ""          # and where the machine then stands
    machine: str = ""       # a file with QEMU's command line, a word a line, that takes the place of all above but the debugger's (labs/grader/target_tier.py)
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


def kernel_image(options: Options) -> Path:
    if options.kernel:
        return existing(Path(options.kernel), "kernel image", "KERNEL must name a raw image such as build/kernel/kernel8.img")
    return existing(options.build / "kernel" / "kernel8.img", "kernel image", "type `make kernel`")


def initial_ramdisk(options: Options, scratch: Path) -> Path:
    """The usual archive, or one with the files of ADD under /add."""
    if options.initrd and options.add:
        raise Failure("INITRD= and ADD= exclude each other: ADD puts files into the built RAM disk, INITRD takes another")
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


def uboot_program(options: Options) -> Path:
    return existing(options.build / "uboot" / "u-boot.bin", "U-Boot", "type `make uboot`, or set UBOOT to a u-boot.bin")


def card_files(options: Options, scratch: Path, kernel: Path, initrd: Path) -> dict[str, Path]:
    """What U-Boot finds on the card, by name."""
    return {"kernel8.img": kernel, "initrd.cpio": initrd, "boot.scr": card.boot_script(options.boot_arguments(), scratch)}


# Where the Raspberry Pi's firmware puts kernel8.img.
LOAD_ADDRESS = 0x80000


def debugger(options: Options) -> list[str]:
    command = []
    if options.gdb:
        command += ["-gdb", f"tcp:127.0.0.1:{options.gdb_port}", *([] if options.stop else ["-S"])]
    if options.count:
        plugin = existing(options.build / "host" / "count.so", "counter of instructions", "type `make debug`")
        # One instruction a block: it stands with the very one.
        command += ["-plugin", f"{plugin},page={options.count}{options.stop}", *(["-singlestep"] if options.stop else [])]
    return command


def command_line(options: Options, scratch: Path, serial0: str = "stdio") -> list[str]:
    """QEMU's command line; makes the files that it needs in `scratch`."""
    if options.machine:
        return [*Path(options.machine).read_text().splitlines(), *debugger(options)]
    kernel, initrd = kernel_image(options), initial_ramdisk(options, scratch)
    command = [tool("qemu-system-aarch64", "QEMU", "qemu-system-arm"), "-M", MODELS[options.model], "-sandbox", SANDBOX,
               "-display", "none", "-monitor", "none", "-no-reboot", "-nodefaults"]
    if options.icount:
        # One instruction is one nanosecond of guest time; idle time is skipped, so host speed is not seen.
        command += ["-icount", "shift=0,sleep=off"]
    else:
        # One host thread for all four cores: on few host cores it is steadier than one each.
        command += ["-accel", f"tcg,thread={options.accel}"]
    if options.icount or options.seed:
        command += ["-seed", str(sum(options.seed.encode(), 1))]
    command += ["-serial", serial0, "-serial", options.serial1, *debugger(options)]
    if options.boot == "uboot":
        image = scratch / "sd.img"
        card.make_image(image, card_files(options, scratch, kernel, initrd))
        command += ["-kernel", str(uboot_program(options)), "-drive", f"file={image},if=sd,format=raw"]
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
