package executor

import "sync"

// While several tenants commit, a group has at most sharedGroup members, and so it is for
// the next sharedFor members after the last one of another tenant than the one before it.
const (
	sharedGroup = 16
	sharedFor   = 1024
)

// memberTurns holds the members that no group has taken yet. Tenants take turns, each with
// one member a turn, and the members of one tenant go in the order in which they came. It is
// safe for concurrent use.
type memberTurns struct {
	// mu guards all that follows.
	mu      sync.Mutex
	order   []string             // tenants that have members, the next one first
	members map[string][]*member // by tenant; none is empty
	last    string               // the tenant of the member that was taken last
	shared  int                  // how many members are still to be taken into small groups
}

// newMemberTurns returns one without members.
func newMemberTurns() memberTurns { return memberTurns{members: make(map[string][]*member)} }

// add puts a member behind those of its tenant, and the tenant behind the others if it has
// none.
func (t *memberTurns) add(m *member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tenant := m.commit.Row.TenantID
	if len(t.members[tenant]) == 0 {
		t.order = append(t.order, tenant)
	}
	t.members[tenant] = append(t.members[tenant], m)
}

// next removes and returns the next member. It must be called at most once for each add.
func (t *memberTurns) next() *member {
	t.mu.Lock()
	defer t.mu.Unlock()
	tenant := t.order[0]
	t.order = t.order[1:]
	list := t.members[tenant]
	first := list[0]
	if len(list) > 1 {
		list[0] = nil // so that the slice does not keep it
		t.members[tenant] = list[1:]
		t.order = append(t.order, tenant)
	} else {
		delete(t.members, tenant)
	}
	t.shared = max(t.shared-1, 0)
	if tenant != t.last && t.last != "" {
		t.shared = sharedFor
	}
	t.last = tenant
	return first
}

// limit returns how many members the next group may have, most being as many as ever.
func (t *memberTurns) limit(most int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shared > 0 || len(t.order) > 1 {
		return min(most, sharedGroup)
	}
	return most
}
