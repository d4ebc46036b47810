// What a process belongs to beside its family: a coalition, whose use of the machine is summed, and a persona, which says for
// whom it acts.
//
// Both are chosen before anybody sees the process (spawn) and stay: reading them takes no lock, and copying the references is
// all that it takes to inherit them. Lock: families_lock for what a coalition sums. Counterpart in the original: coalition.c,
// kern_persona.c, whose inheritance can fail.
#pragma once

#include "abi/forklore.h"
#include "base/ref.h"
#include "base/result.h"
#include "base/thread_safety.h"
#include "machine/spin_lock.h"
#include "mm/zone.h"

class Proc;
extern SpinLock families_lock;

// Lives while a process belongs to it, a zombie too. So there are no more of them than processes, and the table of processes
// is the list of them.
class Coalition : public RefCounted {
public:
    static Zone& zone();
    static Result<Ref<Coalition>> create();     // NoMemory
    explicit Coalition(uint64_t its_number) : number(its_number) {}
    void last_reference_gone();

    // A member is collected: what it used stays in the sum.
    void member_ended_locked(const ForkloreUsage& usage) REQUIRES(families_lock);
    // The sum of those that ended and of those in the table now.
    ForkloreCoalitionInfo sum_locked() const REQUIRES(families_lock);

    const uint64_t number;      // rises; never given again

private:
    uint64_t ended_ GUARDED_BY(families_lock) = 0;
    ForkloreUsage usage_of_ended_ GUARDED_BY(families_lock){};
};

// A number and a name, which mean nothing to the kernel. Lives while a process carries it.
class Persona : public RefCounted {
public:
    static Zone& zone();
    static Result<Ref<Persona>> create(UserAddr name);      // BadAddress, NameTooLong, NoMemory
    static Result<Ref<Persona>> find(int32_t number);       // NoProcess: nobody carries it
    explicit Persona(const ForklorePersona& its_info) : info(its_info) {}
    void last_reference_gone();

    const ForklorePersona info;
};

struct Belonging {
    Ref<Coalition> coalition;
    Ref<Persona> persona;       // none: it acts for nobody in particular
};

// For a child that nobody sees yet, as spawn's attributes say. As Coalition::create, Persona::create and find; NotPermitted: only
// root gives a persona.
Result<> choose_belonging(Belonging& belonging, const ForkloreSpawn& attributes);
