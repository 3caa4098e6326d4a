package storetest

import (
	"fmt"
	"heddle/store"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// turnTests hold that a run has one turn at a time.
var turnTests = map[string]func(*testing.T, *store.DB){
	"turn of a run is one owner's":           testTurnOne,
	"turn that is not renewed is another's":  testTurnExpires,
	"turn is claimed by one of many at once": testTurnRace,
}

// claim claims the turn of run_1 and reports whether it did.
func claim(t *testing.T, db *store.DB, owner string, ttl time.Duration) bool {
	t.Helper()
	ok, err := db.ClaimTurn(ctx, "run_1", owner, ttl)
	must(t, err)
	return ok
}

// testTurnOne: a turn is its owner's until the owner frees it; the owner may renew it.
func testTurnOne(t *testing.T, db *store.DB) {
	same(t, "the first", claim(t, db, "a", time.Hour), true)
	same(t, "another", claim(t, db, "b", time.Hour), false)
	same(t, "renewed", claim(t, db, "a", time.Hour), true)
	// Only its owner can free it.
	must(t, db.FreeTurn(ctx, "run_1", "b"))
	same(t, "freed by another", claim(t, db, "b", time.Hour), false)
	must(t, db.FreeTurn(ctx, "run_1", "a"))
	same(t, "freed", claim(t, db, "b", time.Hour), true)
}

// testTurnExpires: a turn that has expired is free, and then its first owner has lost
// it.
func testTurnExpires(t *testing.T, db *store.DB) {
	same(t, "the first", claim(t, db, "a", -time.Millisecond), true)
	same(t, "another", claim(t, db, "b", time.Hour), true)
	same(t, "the first again", claim(t, db, "a", time.Hour), false)
}

// testTurnRace: of many that claim a turn at once, one has it.
func testTurnRace(t *testing.T, db *store.DB) {
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if ok, err := db.ClaimTurn(ctx, "run_1", fmt.Sprint(i), time.Hour); err == nil && ok {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	same(t, "winners", won.Load(), int64(1))
}
