// Who a process acts as, and what its user has in use.
#pragma once

#include "base/list.h"
#include "base/ref.h"
#include "base/result.h"
#include "base/types.h"
#include "kernel/fs/vnode.h"
#include "mm/zone.h"

// What one real user id has in use, over all its processes. Found by uid; lives while a Credentials names it.
class UserAccount : public RefCounted {
public:
    static Zone& zone();
    // The account of `uid`, made if there is none. NoMemory.
    static Result<Ref<UserAccount>> find(Uid uid);
    void last_reference_gone();

    explicit UserAccount(Uid user) : uid(user) {}
    const Uid uid;
    size_t processes = 0;       // guarded by the lock of proc_limits.cpp
    ListNode link;              // guarded by the list's lock
};

// Never changed once it is reachable: whoever changes identity makes a new one. Shared by reference.
class Credentials : public RefCounted {
public:
    static Zone& zone();
    static Result<Ref<Credentials>> root();
    // A copy to be changed before it is shown to anybody.
    Result<Ref<Credentials>> copy() const;
    void last_reference_gone();

    bool is_root() const { return effective_uid == root_uid; }
    // Who asks; only while this object lives.
    Identity identity() const { return {effective_uid, effective_gid, &groups}; }
    Identity real_identity() const { return {real_uid, real_gid, &groups}; }

    Uid real_uid = 0, effective_uid = 0, saved_uid = 0;
    Gid real_gid = 0, effective_gid = 0, saved_gid = 0;
    GroupList groups;
    Ref<UserAccount> account;   // of real_uid
};
