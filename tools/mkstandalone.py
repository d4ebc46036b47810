"""Makes one file of kernel and RAM disk, for firmware that loads nothing else.

    mkstandalone.py kernel8.img initrd.cpio OUT

The kernel's bss ends where its header's image_size says; the archive goes behind it, at a page boundary, and
image_size grows to cover it. boot/machine_report.cpp finds it there when no device tree names another.
"""
import struct
import sys
from pathlib import Path

IMAGE_SIZE_AT, MAGIC_AT = 16, 56    # in the arm64 Image header
PAGE = 4096


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: mkstandalone.py kernel8.img initrd.cpio OUT")
    kernel, initrd = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]).read_bytes()
    if kernel[MAGIC_AT:MAGIC_AT + 4] != b"ARM\x64":
        sys.exit(f"mkstandalone: {sys.argv[1]} has no arm64 Image header")
    (size,) = struct.unpack_from("<Q", kernel, IMAGE_SIZE_AT)
    if size % PAGE or size < len(kernel):
        sys.exit(f"mkstandalone: {sys.argv[1]} says that it needs {size} bytes, but has {len(kernel)}")
    whole = bytearray(kernel.ljust(size, b"\0") + initrd)
    struct.pack_into("<Q", whole, IMAGE_SIZE_AT, len(whole))
    Path(sys.argv[3]).write_bytes(whole)


if __name__ == "__main__":
    main()
