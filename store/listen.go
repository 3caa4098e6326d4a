package store

import (
	"context"
	"errors"
	"heddle/executor"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// What PostgreSQL nodes tell each other, always as part of the transaction that
// it is about. Nothing depends on it: a node that hears nothing looks again
// after a while.
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

// runIDsPayload returns the payload that names the runs on eventsChannel.
func runIDsPayload(ids []string) string {
	text := strings.Join(ids, ",")
	if len(text) > maxPayloadBytes {
		return ""
	}
	return text
}

// Tells says whether nodes tell each other what they commit.
func (db *DB) Tells() bool { return db.postgres() }

// Listen calls heard for what other nodes notify, over a connection of its own,
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
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ending)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+eventsChannel+"; LISTEN "+workChannel); err != nil {
		return translate(err)
	}
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
// that the server still answers, and returns nil without an error.
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
