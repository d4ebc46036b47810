"""How values of our own types are shown: as what they mean."""
import gdb
import gdb.printing

import objects


class Address:
    def __init__(self, value: gdb.Value) -> None:
        self.value = value

    def to_string(self) -> str:
        return f"{self.value.type.strip_typedefs().name}({int(self.value['value']):#x})"


class Count(Address):
    def to_string(self) -> str:
        return f"{int(self.value['value'])} pages"


class Descriptor(Address):
    def to_string(self) -> str:
        return f"Descriptor({int(self.value['bits']):#018x}: {objects.Entry(int(self.value['bits'])).words()})"


class Atomic(Address):
    def to_string(self) -> str:
        return str(objects.plain(self.value))


class Pointer(Address):
    """Owned and Ref: what they lead to."""

    def to_string(self) -> str:
        name = self.value.type.strip_typedefs().name.split("<")[0]
        pointer = self.value["object_"]
        return f"{name} -> {pointer}" if int(pointer) else f"{name}, none"


class Result(Address):
    def to_string(self) -> str:
        fields = {field.name for field in self.value.type.strip_typedefs().fields()}
        if "error_" in fields and int(self.value["error_"]):
            return f"Error::{str(self.value['error_']).split('::')[-1]}"
        return f"ok {self.value['value_']}" if "value_" in fields else "ok"


class Lock(Address):
    def to_string(self) -> str:
        taken = objects.number(self.value["locked_"])
        return f"SpinLock \"{objects.text(self.value['name_'])}\", {'taken' if taken else 'free'}"


def register() -> None:
    shown = gdb.printing.RegexpCollectionPrettyPrinter("forklore")
    for name, pattern, printer in (("address", "^(PhysAddr|KernAddr|UserAddr)$", Address), ("count", "^PageCount$", Count),
                                   ("descriptor", "^Descriptor$", Descriptor), ("atomic", "^std::atomic<", Atomic),
                                   ("pointer", "^(Owned|Ref)<", Pointer), ("result", "^Result<", Result), ("lock", "^SpinLock$", Lock)):
        shown.add_printer(name, pattern, printer)
    gdb.printing.register_pretty_printer(None, shown, replace=True)
