package storetest

import (
	"heddle/store"
	"testing"
)

// answerTests hold what kept answers promise.
var answerTests = map[string]func(*testing.T, *store.DB){
	"answers are found by tenant, scope and key": testAnswerRead,
	"answers are purged by age":                  testAnswerPurge,
}

// testAnswerRead: an answer is found by tenant, scope and key together, in their case.
func testAnswerRead(t *testing.T, db *store.DB) {
	keep := answer("t1", "k", 1)
	must(t, db.CreateWorkflow(ctx, revision("t1", "wf_1", "one", 1), keep))
	got, err := db.Answer(ctx, "t1", "POST /x", "k")
	must(t, err)
	same(t, "answer", got, keep)
	// Another tenant, another scope, another case.
	for _, miss := range [][3]string{{"t2", "POST /x", "k"}, {"t1", "POST /y", "k"}, {"t1", "POST /x", "K"}} {
		got, err := db.Answer(ctx, miss[0], miss[1], miss[2])
		must(t, err)
		if got != nil {
			t.Fatalf("found an answer for %v", miss)
		}
	}
}

// testAnswerPurge: answers from before a moment go, those of that moment stay.
func testAnswerPurge(t *testing.T, db *store.DB) {
	must(t, db.CreateWorkflow(ctx, revision("t1", "wf_1", "one", 1), answer("t1", "old", 1)))
	must(t, db.CreateWorkflow(ctx, revision("t1", "wf_2", "two", 1), answer("t1", "new", 5)))
	must(t, db.PurgeAnswers(ctx, at(5)))
	for k, want := range map[string]bool{"old": false, "new": true} {
		got, err := db.Answer(ctx, "t1", "POST /x", k)
		must(t, err)
		same(t, k, got != nil, want)
	}
}
