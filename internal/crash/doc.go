// Package crash holds the tests that kill the real binary: at named points and
// at random, on both stores, again and again, while clients start, follow and
// cancel runs whose steps have effects on a receiver that writes down each.
// When the dust has settled they check what the README promises:
//
//   - what was acknowledged is there, once, and ends;
//   - a step whose end a client has seen in the journal never runs again;
//   - a step that was cut off runs again with the same Idempotency-Key, and no
//     effect begins before its start is in the journal;
//   - the numbers of a run's stream rise strictly, and a client that resumes
//     with Last-Event-ID across the crashes gets each frame once and the same
//     frames as one that reads the whole stream in the end.
//
// Three more tests kill servers while hundreds of schedules come due, also the
// leader of three nodes on one database, and hold the ledgers against the clock,
// the runs and their effects.
//
// Two tests run the same over a journal that is broken on purpose, one that lies
// about what is durable and one that forgets, and fail unless the checker finds
// it. Beside them: a run that kills the server whenever it is driven, limits on
// concurrent runs under kills, the database gone for ten seconds, what SIGTERM does, and bad
// days: scripts and receivers at their worst while the server has to answer
// within 100 ms, stay small and leave nothing behind.
//
// HEDDLE_CRASH_KILLS says how often to kill (default 6 per store, so that
// `make test` stays quick; the continuous build takes 50, `make crash` 1,000).
// The package holds tests only.
package crash
