package storetest

import (
	"fmt"
	"heddle/executor"
	"heddle/store"
	"testing"
	"time"
)

// leaseTests hold that one node drives runs at a time, and that epochs rise.
var leaseTests = map[string]func(*testing.T, *store.DB){
	"lease is taken, renewed and taken over": testLease,
	"lease that is released is free at once": testLeaseRelease,
	"lease has one winner":                   testLeaseRace,
	"lease expires by the database's clock":  testLeaseClock,
}

// testLease: a lease is renewed with the same epoch, is refused to another holder until
// the millisecond at which it expires, and has a higher epoch with the next holder. A
// holder that comes late still renews it if no other node took it.
func testLease(t *testing.T, db *store.DB) {
	acquire := func(holder string, n int) int64 {
		t.Helper()
		epoch, err := db.AcquireLease(ctx, holder, at(n), time.Second)
		must(t, err)
		return epoch
	}
	first := acquire("a", 0)
	if first < 1 {
		t.Fatalf("epoch %d: 0 means unchecked", first)
	}
	same(t, "renewed", acquire("a", 900), first)
	_, err := db.AcquireLease(ctx, "b", at(1899), time.Second)
	wantIs(t, err, executor.ErrLeaseHeld)
	second := acquire("b", 1900)
	if second <= first {
		t.Fatalf("epoch %d after %d", second, first)
	}
	_, err = db.AcquireLease(ctx, "a", at(1901), time.Second)
	wantIs(t, err, executor.ErrLeaseHeld)
	// An expired lease is its holder's until another node takes it.
	same(t, "renewed late, but no other node came", acquire("b", 9000), second)
}

// testLeaseRelease: its holder alone can release it; the next epoch is higher all the
// same.
func testLeaseRelease(t *testing.T, db *store.DB) {
	first, err := db.AcquireLease(ctx, "a", at(0), time.Second)
	must(t, err)
	must(t, db.ReleaseLease(ctx, "b")) // not its own: no effect
	_, err = db.AcquireLease(ctx, "b", at(1), time.Second)
	wantIs(t, err, executor.ErrLeaseHeld)
	// From here on the lease is free, though its time is not over.
	must(t, db.ReleaseLease(ctx, "a"))
	second, err := db.AcquireLease(ctx, "b", at(1), time.Second)
	must(t, err)
	if second <= first {
		t.Fatalf("epoch %d after %d", second, first)
	}
}

// testLeaseRace: of nodes that take a free lease at once, one has it.
func testLeaseRace(t *testing.T, db *store.DB) {
	winners := race(8, func(i int) error {
		_, err := db.AcquireLease(ctx, fmt.Sprint("node", i), at(0), time.Second)
		return err
	}, func(err error) { wantIs(t, err, executor.ErrLeaseHeld) })
	same(t, "winners", winners, 1)
}

// testLeaseClock: a zero time means the database's clock, so that nodes whose clocks
// differ agree on when a lease has expired.
func testLeaseClock(t *testing.T, db *store.DB) {
	acquire := func(holder string, ttl time.Duration) (int64, error) {
		return db.AcquireLease(ctx, holder, time.Time{}, ttl)
	}
	first, err := acquire("a", time.Hour)
	must(t, err)
	_, err = acquire("b", time.Hour)
	wantIs(t, err, executor.ErrLeaseHeld)
	// By times that callers pass it lies between these.
	_, err = db.AcquireLease(ctx, "b", time.Now().Add(30*time.Minute), time.Hour)
	wantIs(t, err, executor.ErrLeaseHeld)
	again, err := acquire("a", -time.Hour) // renewed, and expired at once
	must(t, err)
	same(t, "renewed", again, first)
	second, err := acquire("b", time.Hour)
	must(t, err)
	if second <= first {
		t.Fatalf("epoch %d after %d", second, first)
	}
}
