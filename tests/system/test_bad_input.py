"""What the machine says about bad input that it starts from, and what our tools do with a kernel that is dead."""
from support import BUILD, Case, run

MASK_INTERRUPTS, BRANCH_TO_SELF = 0xd5034fdf, 0x14000000


class DeadKernel(Case):
    def image(self, *words: int) -> str:
        path = self.folder / "kernel.img"
        path.write_bytes(b"".join(word.to_bytes(4, "little") for word in words))
        return str(path)

    def ends(self, image: str, why: str) -> None:
        result = run({"FORKLORE_GUARD_MARGIN": "3"}, KERNEL=image, CMD="true", TIMEOUT="1")
        self.assertEqual(result.status, 124)
        self.assertIn("The kernel is dead: 1 guest seconds should be over, and " + why, result.said)

    def test_a_loop_with_interrupts_off_is_ended(self) -> None:
        self.ends(self.image(MASK_INTERRUPTS, BRANCH_TO_SELF), "QEMU has used")


class Damaged(Case):
    def test_a_program_that_is_cut_off_is_named(self) -> None:
        (self.folder / "cut").write_bytes((BUILD / "user" / "bin" / "forktest").read_bytes()[:100])
        (self.folder / "cut").chmod(0o755)
        result = run(ADD=str(self.folder), CMD="/add/cut; echo $?")
        self.assertRegex(result.console, r"cut: Exec format error\r?\n126")

    def test_a_program_for_another_machine_is_named(self) -> None:
        program = bytearray((BUILD / "user" / "bin" / "forktest").read_bytes())
        program[18] = 62                # e_machine: x86-64
        (self.folder / "other").write_bytes(program)
        (self.folder / "other").chmod(0o755)
        self.assertRegex(run(ADD=str(self.folder), CMD="/add/other").console, r"other: Exec format error")

    def test_a_device_tree_that_is_none_is_named(self) -> None:
        tree = self.folder / "tree.dtb"
        tree.write_bytes(b"no tree at all. " * 64)
        result = run({"FORKLORE_GUARD_MARGIN": "20"}, DTB=str(tree), CMD="true", TIMEOUT="5")
        self.assert_clean(result.said)
        self.assertNotEqual(result.status, 0)
        self.assertIn("device tree", result.console.lower() + result.said.lower())
