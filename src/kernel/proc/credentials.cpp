// Credentials and accounts. Lock: `accounts_lock` guards the list of accounts; an account whose last reference goes
// leaves it under that lock, so that find() never revives a dying one.
#include "kernel/proc/credentials.h"

#include "machine/spin_lock.h"

namespace {

SpinLock accounts_lock{LockRank::UserAccounts, "user accounts"};
List<UserAccount, &UserAccount::link> accounts GUARDED_BY(accounts_lock);

// The account of `uid` with one more reference, if there is one that is not dying.
UserAccount* find_locked(Uid uid) REQUIRES(accounts_lock) {
    for (UserAccount& account : accounts) {
        if (account.uid == uid && account.ref_unless_gone()) {
            return &account;
        }
    }
    return nullptr;
}

}  // namespace

Zone& UserAccount::zone() {
    static Zone& zone = zone_create({.name = "user accounts", .element_size = sizeof(UserAccount)}).value();
    return zone;
}

Result<Ref<UserAccount>> UserAccount::find(Uid uid) {
    {
        SpinGuard guard(accounts_lock);
        if (UserAccount* account = find_locked(uid)) {
            return Ref<UserAccount>::adopt(*account);
        }
    }
    auto fresh = TRY(zone_new<UserAccount>({.wait = false}, uid));
    SpinGuard guard(accounts_lock);
    if (UserAccount* account = find_locked(uid)) {
        return Ref<UserAccount>::adopt(*account);     // another core was faster; `fresh` goes back
    }
    accounts.push_back(*fresh);
    return Ref<UserAccount>::adopt(*fresh.release());
}

void UserAccount::last_reference_gone() {
    ASSERT(processes == 0);
    {
        SpinGuard guard(accounts_lock);
        accounts.remove(*this);
    }
    ZoneDelete<UserAccount>{}(*this);
}

Zone& Credentials::zone() {
    static Zone& zone = zone_create({.name = "credentials", .element_size = sizeof(Credentials)}).value();
    return zone;
}

Result<Ref<Credentials>> Credentials::root() {
    auto credentials = TRY(zone_new<Credentials>({.wait = false}));
    credentials->account = TRY(UserAccount::find(root_uid));
    return Ref<Credentials>::adopt(*credentials.release());
}

Result<Ref<Credentials>> Credentials::copy() const {
    auto other = TRY(zone_new<Credentials>({.wait = false}));
    other->real_uid = real_uid;
    other->effective_uid = effective_uid;
    other->saved_uid = saved_uid;
    other->real_gid = real_gid;
    other->effective_gid = effective_gid;
    other->saved_gid = saved_gid;
    other->groups = groups;
    other->account = account;
    return Ref<Credentials>::adopt(*other.release());
}

void Credentials::last_reference_gone() { ZoneDelete<Credentials>{}(*this); }
