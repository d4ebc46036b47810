"""The boards that QEMU has besides the 3B."""
from support import Case, run


class Models(Case):
    def test_a_board_with_half_the_memory_boots_and_uses_it(self) -> None:
        done = run(CMD="dmesg | head -2; free; forktest 1", MODEL="3a+")
        self.assertEqual(done.status, 0, done.said)
        self.assertIn("448 MiB of memory", done.console)
        self.assertIn("revision 9020e0", done.console)
        self.assertRegex(done.console, r"memory +458\d{3} ")

    def test_u_boot_boots_it_too(self) -> None:
        self.assertEqual(run(CMD="echo small; exit 5", MODEL="3a+", BOOT="uboot").status, 5)

    def test_a_model_that_qemu_has_not_is_told(self) -> None:
        done = run(CMD="true", MODEL="4b")
        self.assertEqual(done.status, 125)
        self.assertIn("MODEL=4b: QEMU has 3b and 3a+", done.said)

    def test_the_temperature_and_what_holds_the_processor_back_are_shown(self) -> None:
        done = run(CMD="temperature; echo temperature 61499 > /tmp/t; echo throttled 0x50008 >> /tmp/t; temperature /tmp/t; cat /dev/temperature")
        self.assertEqual(done.console, "25.0 degrees Celsius\n61.4 degrees Celsius\nnow: near the limit of temperature\n"
                         "since power-on: the supply's voltage is too low\nsince power-on: throttled\ntemperature 25000\n")
