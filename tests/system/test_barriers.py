"""tools/check_barriers.py finds each thing that it is for in a few assembled lines, and nothing in the right ones beside them."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from support import ROOT, Case

sys.path.insert(0, str(ROOT / "tools"))
import check_barriers  # noqa: E402

CROSS = os.environ.get("CROSS") or "aarch64-linux-gnu-"
# Two functions that the entry reaches, and one that it does not.
FRAME = """
    .arch armv8.1-a+crc
image_header:
    bl      early
    br      x7
secondary_entry:
    ret
early:
    {early}
    ret
    .type late, %function
late:
    {late}
    ret
"""


class Barriers(Case):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="forklore-barriers-")
        self.addCleanup(self.folder.cleanup)

    def assemble(self, early: str, late: str) -> Path:
        source, made = Path(self.folder.name) / "sample.S", Path(self.folder.name) / "sample.o"
        source.write_text(FRAME.format(early=early.replace("; ", "\n    "), late=late.replace("; ", "\n    ")))
        subprocess.run([CROSS + "as", str(source), "-o", str(made)], check=True)
        return made

    def found(self, late: str = "nop", early: str = "nop", is_kernel: bool = True) -> list[str]:
        image = check_barriers.Image(self.assemble(early, late), CROSS + "objdump")
        return list(check_barriers.findings(image, is_kernel))

    def is_wrong(self, words: str, late: str = "nop", early: str = "nop") -> None:
        lines = self.found(late, early)
        self.assertEqual(len(lines), 1, f"{late} {early}: {lines}")
        self.assertIn(words, lines[0])

    def is_right(self, late: str = "nop", early: str = "nop") -> None:
        self.assertEqual(self.found(late, early), [])

    def test_a_root_of_tables_takes_effect_before_memory_is_used(self) -> None:
        self.is_right("msr ttbr0_el1, x0; isb; ldr x1, [x2]")
        self.is_right("msr tcr_el1, x0; msr ttbr1_el1, x1; isb")
        self.is_wrong("memory is used (ldr x1, [x2]) before an ISB", "msr ttbr0_el1, x0; ldr x1, [x2]; isb")
        self.is_wrong("no ISB before ret", "msr sctlr_el1, x0")

    def test_every_path_is_looked_at(self) -> None:
        self.is_right("msr tcr_el1, x0; cbz x1, 1f; isb; ret; 1: isb")
        self.is_wrong("no ISB before ret", "msr tcr_el1, x0; cbz x1, 1f; isb; 1: nop")

    def test_other_registers_take_effect_before_the_function_ends(self) -> None:
        self.is_right("msr vbar_el1, x0; str x1, [x2]; isb")
        self.is_right("msr hcr_el2, x0; eret")
        self.is_wrong("no ISB before ret", "msr cntv_ctl_el0, x0")
        self.is_wrong("no ISB before bl", "msr cpacr_el1, x0; bl early; isb")

    def test_registers_that_need_nothing_need_nothing_and_unknown_ones_are_told(self) -> None:
        self.is_right("msr tpidr_el1, x0; msr daifset, #2; msr elr_el1, x0; eret")
        self.is_wrong("does not know this register", "msr contextidr_el1, x0; isb")

    def test_a_tlb_is_invalidated_between_a_store_that_has_arrived_and_an_isb(self) -> None:
        self.is_right("str x0, [x1]; dsb ishst; tlbi vae1is, x2; dsb ish; isb")
        self.is_wrong("no DSB after str x0, [x1]", "str x0, [x1]; tlbi vae1is, x2; dsb ish; isb")
        self.is_wrong("the function begins", "tlbi vmalle1; dsb nsh; isb")
        self.is_wrong("no DSB before isb", "dsb ishst; tlbi vae1is, x2; dsb ishst; isb")
        self.is_wrong("no DSB before isb", "dsb ishst; tlbi vae1is, x2; isb; dsb ish")
        self.is_wrong("no ISB before ret", "dsb ishst; tlbi vae1is, x2; dsb ish")

    def test_maintenance_for_all_cores_is_waited_for_on_all_cores(self) -> None:
        self.is_right("dsb nshst; tlbi vmalle1; dsb nsh; isb")
        self.is_wrong("no DSB before isb", "dsb ishst; tlbi vmalle1is; dsb nsh; isb")

    def test_instructions_are_fetched_again_after_the_data_was_cleaned(self) -> None:
        self.is_right("dc cvau, x0; dsb ish; ic ivau, x0; dsb ish; isb")
        self.is_right("dc cvau, x0; dsb ish; 1: ic ivau, x0; add x0, x0, #64; cmp x0, x1; b.lo 1b; dsb ish; isb")
        self.is_wrong("no DSB before ret", "dc cvau, x0")
        self.is_wrong("no ISB before ret", "dsb ish; ic ialluis; dsb ish")
        self.is_wrong("no DSB after str w2, [x0]", "str w2, [x0]; ic ialluis; dsb ish; isb")

    def test_a_line_is_cleaned_before_the_function_ends_and_before_the_event(self) -> None:
        self.is_right("str x0, [x1]; dc civac, x1; dsb sy; sev")
        self.is_wrong("no DSB before ret", "dc civac, x1")
        self.is_wrong("no DSB after str x0, [x1]", "str x0, [x1]; sev")

    def test_no_exclusives_before_the_mmu_is_on(self) -> None:
        self.is_right("ldaxr x0, [x1]; stxr w2, x0, [x1]")
        self.is_wrong("an exclusive access while the MMU may be off", early="ldxr x0, [x1]")
        self.is_wrong("an exclusive access while the MMU may be off", early="stlxrb w2, w0, [x1]")
        self.is_wrong("an exclusive access while the MMU may be off", "ldaxr w0, [x1]", early="b late")
        self.is_wrong("DC ZVA while the MMU may be off", early="dc zva, x0")
        self.is_wrong("a call through a pointer", early="blr x3")

    def test_nothing_of_later_processors(self) -> None:
        for line in ("casal x0, x1, [x2]", "ldaddal w0, w1, [x2]", "swpb w0, w1, [x2]", "stadd x0, [x1]"):
            self.is_wrong("not an instruction of the Cortex-A53", line)
        self.is_right("ldar x0, [x1]; stlr x0, [x1]; ldtr x0, [x1]; ldp x0, x1, [x2]; stur x0, [x1, #1]")

    def test_erratum_835769(self) -> None:
        self.is_wrong("erratum 835769", "ldr x3, [x4]; madd x0, x1, x2, x5")
        self.is_wrong("erratum 835769", "stp x3, x6, [x4]; smaddl x0, w1, w2, x5")
        self.is_right("ldr x1, [x4]; madd x0, x1, x2, x5")         # depends on the load
        self.is_right("ldr x3, [x4]; madd w0, w1, w2, w5")         # 32 bits
        self.is_right("ldr x3, [x4]; nop; madd x0, x1, x2, x5")
        self.is_right("ldr x3, [x4]; mul x0, x1, x2")

    def test_erratum_843419(self) -> None:
        def at(offset: int, lines: str) -> str:
            return f".org {offset:#x}; {lines}"
        wrong = "adrp x0, late; ldr x3, [x4]; ldr x5, [x0, #8]"
        self.is_wrong("erratum 843419", at(0xff8, wrong))
        self.is_wrong("erratum 843419", at(0x1ffc, "adrp x0, late; str x3, [x4]; add x6, x6, #1; str x5, [x0, #8]"))
        self.is_right(at(0xff4, wrong))
        self.is_right(at(0xff8, "adrp x0, late; add x3, x3, #1; ldr x5, [x0, #8]"))
        self.is_right(at(0xff8, "adrp x0, late; ldr x3, [x4]; b late; ldr x5, [x0, #8]"))

    def test_programs_may_do_what_the_kernel_may_not(self) -> None:
        self.assertEqual(self.found("dc cvau, x0", early="ldxr x0, [x1]", is_kernel=False), [])

    def test_what_is_no_kernel_is_refused(self) -> None:
        sample = self.assemble("nop", "nop")
        other = Path(self.folder.name) / "other.o"
        subprocess.run([CROSS + "objcopy", "--strip-all", str(sample), str(other)], check=True)
        for path, words in ((other, "it is not a kernel"), (other.with_name("absent"), "absent")):
            done = subprocess.run([sys.executable, str(ROOT / "tools" / "check_barriers.py"), str(path)],
                                  capture_output=True, text=True, env=os.environ | {"OBJDUMP": CROSS + "objdump"})
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)
