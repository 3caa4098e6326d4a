package store_test

import (
	"context"
	"heddle/internal/await"
	"heddle/store"
	"heddle/store/storetest"
	"strings"
	"testing"
	"time"
)

func TestOpenWaitsForAServerThatStarts(t *testing.T) {
	server := storetest.NewServer(t, false)
	url := server.Database(t)
	server.Stop(t)
	refused, opened := make(chan error, 100), make(chan error, 1)
	go func() {
		db, err := store.Open(t.Context(), url, store.WithWait(await.Patience, func(err error) { refused <- err }))
		if err == nil {
			err = db.Close()
		}
		opened <- err
	}()
	await.Receive(t, "the refusal is told", refused)
	server.Start(t)
	if err := await.Receive(t, "it opens", opened); err != nil {
		t.Error(err)
	}
	server.Stop(t)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := store.Open(ctx, url, store.WithWait(await.Patience, func(error) { cancel() })); err == nil {
		t.Error("opened a server that is not there")
	}
}

// What waiting does not mend is said at once.
func TestOpenDoesNotWaitForWhatCannotPass(t *testing.T) {
	url := strings.Replace(storetest.Postgres(t), "/heddle_", "/nothing_", 1)
	_, err := store.Open(t.Context(), url, store.WithWait(await.Patience, func(err error) { t.Errorf("waits after %v", err) }))
	if err == nil {
		t.Error("opened a database that is not there")
	}
	_, err = store.Open(t.Context(), url, store.WithWait(time.Nanosecond, func(error) {}))
	if err == nil {
		t.Error("opened a database that is not there")
	}
}
