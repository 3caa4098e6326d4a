package store

import (
	"context"
	"errors"
	"heddle/executor"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// What PostgreSQL nodes notify each other of. Nothing depends on it: a node that
// receives nothing looks again after a while.
const (
	// eventsChannel carries the ids of runs whose journals have grown,
	// separated by commas; "" where they are too many to name.
	eventsChannel = "heddle_events"
	// workChannel says that another node left something for the one that drives
	// runs.
	workChannel = "heddle_work"
	// maxPayloadBytes is less than the 8,000 bytes that a notification may
	// have.
	maxPayloadBytes = 7900
)

// idleTimeout is how long a listening connection may be silent before it is
// probed.
const idleTimeout = 20 * time.Second

// runIDsPayload returns the payload that names the runs on eventsChannel, or ""
// where the names are too long together: listeners then look at every run that
// they follow.
func runIDsPayload(ids []string) string {
	text := strings.Join(ids, ",")
	if len(text) > maxPayloadBytes {
		return ""
	}
	return text
}

// Tells reports whether nodes notify each other of what they commit, which only
// those on PostgreSQL do. Where it is false, Listen receives nothing.
func (db *DB) Tells() bool { return db.postgres() }

// Listen calls heard for each notification of other nodes, over a connection of its own,
// until ctx ends (nil) or the connection breaks (an error; what was notified
// meanwhile is lost). It calls heard once at the beginning, because of what
// came before. On SQLite there are no other nodes, and it only waits for ctx.
func (db *DB) Listen(ctx context.Context, heard func(executor.Notice)) error {
	if !db.postgres() {
		<-ctx.Done()
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, db.pool.Config().ConnConfig.Copy())
	if err != nil {
		return translate(err)
	}
	defer func() {
		// ctx has usually ended by now, and the end still has to be sent.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ending)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+eventsChannel+"; LISTEN "+workChannel); err != nil {
		return translate(err)
	}
	// After LISTEN: what is committed from here on is received, and this call covers
	// what came before.
	heard(executor.Notice{Work: true})
	for {
		notice, err := nextNotice(ctx, conn)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return translate(err)
		case notice != nil:
			heard(*notice)
		}
	}
}

// nextNotice waits for a notification. After idleTimeout without one it checks
// that the server still answers, within five seconds, and returns nil without an
// error. A Notice of which Runs is nil means all runs, an empty one none.
func nextNotice(ctx context.Context, conn *pgx.Conn) (*executor.Notice, error) {
	quiet, cancel := context.WithTimeout(ctx, idleTimeout)
	defer cancel()
	n, err := conn.WaitForNotification(quiet)
	switch {
	case err == nil && n.Channel == workChannel:
		return &executor.Notice{Work: true, Runs: []string{}}, nil
	case err == nil && n.Payload == "":
		return &executor.Notice{}, nil
	case err == nil:
		return &executor.Notice{Runs: strings.Split(n.Payload, ",")}, nil
	case ctx.Err() == nil && errors.Is(quiet.Err(), context.DeadlineExceeded):
		patience, stop := context.WithTimeout(ctx, 5*time.Second)
		defer stop()
		return nil, conn.Ping(patience)
	}
	return nil, err
}
