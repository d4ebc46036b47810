"""zprint: the kernel's zones."""
from support import Case, run


class Zones(Case):
    def test_all_are_made_before_programs_can_have_taken_the_memory(self) -> None:
        done = run(CMD="zprint")
        self.assertEqual(done.status, 0, done.said)
        for name in ("long_name", "file_table_more", "symlink", "pipe", "knotes", "kqueue", "segments", "personas"):
            self.assertRegex(done.console, rf"(?m)^{name} ")
