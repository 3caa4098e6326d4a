package storetest

import (
	"heddle/store"
	"heddle/system"
	"testing"
	"time"
)

// systemTests hold what is known of nodes and of the database.
var systemTests = map[string]func(*testing.T, *store.DB){
	"nodes are noted and forgotten": testNodes,
}

// testNodes: a node's last note counts; those seen since a time are listed, and old ones are
// removed. The leader is the holder of the lease.
func testNodes(t *testing.T, db *store.DB) {
	note := func(id string, n, forget int) {
		t.Helper()
		must(t, db.NoteNode(ctx, system.Node{ID: id, Host: "host of " + id, Version: "1", StartedAt: at(1), SeenAt: at(n)}, at(forget)))
	}
	state := func(since int) system.Database {
		t.Helper()
		d, err := db.Database(ctx, at(since))
		must(t, err)
		return d
	}
	note("node_b", 10, 0)
	note("node_a", 20, 0)
	note("node_b", 30, 0)
	same(t, "nodes", state(30).Nodes, []system.Node{{ID: "node_b", Host: "host of node_b", Version: "1", StartedAt: at(1), SeenAt: at(30)}})
	same(t, "all", len(state(0).Nodes), 2)
	note("node_c", 40, 30)
	same(t, "without the forgotten", len(state(0).Nodes), 2)
	_, err := db.AcquireLease(ctx, "node_b", time.Now(), time.Minute)
	must(t, err)
	d := state(0)
	same(t, "leader", d.Leader, "node_b")
	if d.Schema < 39 || d.SizeBytes <= 0 || d.Kind != "sqlite" && d.Kind != "postgres" || d.LeaseExpires.IsZero() {
		t.Errorf("%+v", d)
	}
}
