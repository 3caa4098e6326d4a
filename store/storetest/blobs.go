package storetest

import (
	"bytes"
	"context"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"testing"
)

// blobTests hold that a large value is there exactly as long as a journal names it.
var blobTests = map[string]func(*testing.T, *store.DB){
	"blob belongs to whom the commit names":        testBlobNamed,
	"blob is read from any offset":                 testBlobChunks,
	"blob of a commit that lost stays loose":       testBlobFenced,
	"unreferenced blobs are swept":                 testBlobSweep,
	"blobs go with their run":                      testBlobDelete,
	"commit that names a lost blob is refused":     testBlobGone,
	"start that names a lost blob keeps no answer": testBlobGoneAnswer,
	"blob of a loser in a group stays loose":       testBlobOfLoser,
}

// putBlob stores a blob, created at(n), that no commit has named yet.
func putBlob(t *testing.T, db *store.DB, id, run string, n int, content []byte) executor.Blob {
	t.Helper()
	b := executor.Blob{
		ID: id, TenantID: "t1", RunID: run, Size: int64(len(content)), SHA256: "sum-" + id,
		ContentType: "application/json", CreatedAt: at(n),
	}
	must(t, db.PutBlob(ctx, b, content))
	return b
}

// blobRun stores a run, and returns its next commit, which names blobs.
func blobRun(t *testing.T, db *store.DB, id string, blobs ...string) executor.Commit {
	t.Helper()
	w := revision("t1", "wf_1", "one", 1).Workflow
	if _, err := db.Workflow(ctx, "t1", "wf_1"); err != nil {
		w = create(t, db, revision("t1", "wf_1", "one", 1))
	}
	c := newRun(w, id, 1)
	commit(t, db, c)
	next := grow(c, machine.Completed, 2)
	next.Blobs = blobs
	return next
}

// testBlobNamed: a blob is found once a commit has named it, by its tenant, run and id
// together.
func testBlobNamed(t *testing.T, db *store.DB) {
	next := blobRun(t, db, "run_1", "blob_1")
	b := putBlob(t, db, "blob_1", "run_1", 1, []byte("{}"))
	_, err := db.Blob(ctx, "t1", "run_1", "blob_1")
	wantFault(t, err, fault.NotFound, "blob_not_found")
	list, err := db.RunBlobs(ctx, "run_1")
	must(t, err)
	same(t, "before the commit", list, []executor.Blob{})
	commit(t, db, next)
	got, err := db.Blob(ctx, "t1", "run_1", "blob_1")
	must(t, err)
	same(t, "after it", got, b)
	list, err = db.RunBlobs(ctx, "run_1")
	must(t, err)
	same(t, "the run's", list, []executor.Blob{b})
	// Tenant, run and id must all fit.
	for _, at := range [][3]string{{"t2", "run_1", "blob_1"}, {"t1", "run_2", "blob_1"}, {"t1", "run_1", "blob_2"}} {
		_, err := db.Blob(ctx, at[0], at[1], at[2])
		wantFault(t, err, fault.NotFound, "blob_not_found")
	}
}

// testBlobChunks: a blob is read from any offset, also around the borders of chunks, in
// pieces of at most a mebibyte; its end is no bytes, and not an error.
func testBlobChunks(t *testing.T, db *store.DB) {
	content := bytes.Repeat([]byte("0123456789abcdef\x00\xff"), 150_000) // 2.7 MB
	putBlob(t, db, "blob_1", "run_1", 1, content)
	size := int64(len(content))
	// The borders of chunks (1 MiB), one byte to either side, and the end.
	for _, start := range []int64{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 2 << 20, size - 1, size} {
		var got []byte
		for at := start; at < size; {
			piece, err := db.BlobChunk(ctx, "blob_1", at)
			must(t, err)
			if len(piece) == 0 || len(piece) > 1<<20 {
				t.Fatalf("%d bytes at %d", len(piece), at)
			}
			got, at = append(got, piece...), at+int64(len(piece))
		}
		if !bytes.Equal(got, content[start:]) {
			t.Fatalf("from %d: %d bytes differ", start, len(got))
		}
	}
	piece, err := db.BlobChunk(ctx, "blob_1", size)
	if err != nil || len(piece) != 0 {
		t.Fatalf("at the end: %d bytes, %v", len(piece), err)
	}
	_, err = db.BlobChunk(ctx, "blob_2", 0)
	wantFault(t, err, fault.NotFound, "blob_not_found")
}

// testBlobFenced: a commit that lost has named nothing.
func testBlobFenced(t *testing.T, db *store.DB) {
	next := blobRun(t, db, "run_1", "blob_1")
	putBlob(t, db, "blob_1", "run_1", 1, []byte("1"))
	// The commit names the blob, but expects another seq.
	late := next
	late.Expected, late.Row.Seq = 7, 8
	late.Events = late.Events[:0:0]
	late.Events = append(late.Events, event("run_1", 8, next.Events[0].Kind, 3))
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{late})[0], executor.ErrFenced)
	_, err := db.Blob(ctx, "t1", "run_1", "blob_1")
	wantFault(t, err, fault.NotFound, "blob_not_found")
}

// testBlobSweep: a sweep removes at most its limit of blobs that are old enough and
// that nothing names or spares, contents included, and ends with its context.
func testBlobSweep(t *testing.T, db *store.DB) {
	next := blobRun(t, db, "run_1", "blob_1")
	for i, id := range []string{"blob_1", "blob_2", "blob_3", "blob_4", "blob_5"} {
		putBlob(t, db, id, "run_1", i, []byte("12"))
	}
	commit(t, db, next)
	// blob_1 is named, blob_3 is spared and blob_5 is too young.
	n, err := db.SweepBlobs(ctx, at(4), []string{"blob_3"}, 1)
	must(t, err)
	same(t, "first sweep: blob_2", n, 1)
	n, err = db.SweepBlobs(ctx, at(4), []string{"blob_3"}, 10)
	must(t, err)
	same(t, "second sweep: blob_4", n, 1)
	for id, there := range map[string]bool{"blob_1": true, "blob_2": false, "blob_3": true, "blob_4": false, "blob_5": true} {
		if _, err := db.BlobChunk(ctx, id, 0); (err == nil) != there {
			t.Errorf("%s after the sweep: %v", id, err)
		}
	}
	short, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := db.SweepBlobs(short, at(9), nil, 10); err == nil {
		t.Error("a sweep after its end")
	}
}

// testBlobDelete: a deleted run takes its blobs with it, unreferenced ones too, and no
// other run's.
func testBlobDelete(t *testing.T, db *store.DB) {
	next := blobRun(t, db, "run_1", "blob_1")
	// blob_2 is run_1's, too, but nothing names it.
	other := blobRun(t, db, "run_2", "blob_3")
	putBlob(t, db, "blob_1", "run_1", 1, []byte("1"))
	putBlob(t, db, "blob_2", "run_1", 1, []byte("2"))
	putBlob(t, db, "blob_3", "run_2", 1, []byte("3"))
	commit(t, db, next, other)
	must(t, db.DeleteRun(ctx, "t1", "run_1"))
	for _, id := range []string{"blob_1", "blob_2"} {
		_, err := db.BlobChunk(ctx, id, 0)
		wantFault(t, err, fault.NotFound, "blob_not_found")
	}
	got, err := db.BlobChunk(ctx, "blob_3", 0)
	must(t, err)
	same(t, "the other run's", string(got), "3")
}

// testBlobGone: a commit that names a blob which was swept, or is another run's, is
// fenced; the others of its group are written.
func testBlobGone(t *testing.T, db *store.DB) {
	// The first names a blob that is not there, the last one another run's.
	gone := blobRun(t, db, "run_1", "blob_9")
	fine := blobRun(t, db, "run_2", "blob_2")
	foreign := blobRun(t, db, "run_3", "blob_2")
	putBlob(t, db, "blob_2", "run_2", 1, []byte("2"))
	errs := db.Commit(ctx, 0, []executor.Commit{gone, fine, foreign})
	wantIs(t, errs[0], executor.ErrFenced)
	must(t, errs[1])
	wantIs(t, errs[2], executor.ErrFenced)
	row, err := db.Run(ctx, "t1", "run_1")
	must(t, err)
	same(t, "the run's seq", row.Seq, int64(1))
	_, err = db.Blob(ctx, "t1", "run_2", "blob_2")
	must(t, err)
}

// testBlobGoneAnswer: a start that names a blob which is gone leaves nothing of
// itself, neither its answer nor its name, also where the rest of its group is
// written.
func testBlobGoneAnswer(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	gone, fine := named(w, "run_1", "a", 1), newRun(w, "run_2", 1)
	gone.Answer, gone.Blobs = answer("t1", "k", 1), []string{"blob_9"}
	errs := db.Commit(ctx, 0, []executor.Commit{gone, fine})
	wantIs(t, errs[0], executor.ErrFenced)
	must(t, errs[1])
	kept, err := db.Answer(ctx, "t1", "POST /x", "k")
	must(t, err)
	if kept != nil {
		t.Error("the answer of a run that does not exist was kept")
	}
	names, err := db.NamesTaken(ctx, w.ID, []string{"a"})
	must(t, err)
	same(t, "names", len(names), 0)
	gone.Answer, gone.Row.RunID, gone.Events[0].RunID = nil, "run_3", "run_3"
	_, err = db.StartAll(ctx, 0, []executor.Commit{gone})
	wantIs(t, err, executor.ErrFenced)
}

// testBlobOfLoser: a blob of which only a losing member of a group knows is swept
// as one that nothing names.
func testBlobOfLoser(t *testing.T, db *store.DB) {
	late, fine := blobRun(t, db, "run_1", "blob_1"), blobRun(t, db, "run_2", "blob_2")
	taken := newRun(revision("t1", "wf_1", "one", 1).Workflow, "run_3", 1)
	taken.Answer, taken.Blobs = answer("t1", "k", 1), []string{"blob_3"}
	must(t, db.KeepAnswer(ctx, *answer("t1", "k", 1)))
	for i, id := range []string{"1", "2", "3"} {
		putBlob(t, db, "blob_"+id, "run_"+id, i, []byte(id))
	}
	late.Expected, late.Row.Seq, late.Events = 7, 8, []events.Event{event("run_1", 8, events.StateChanged, 3)}
	errs := db.Commit(ctx, 0, []executor.Commit{late, fine, taken})
	wantIs(t, errs[0], executor.ErrFenced)
	must(t, errs[1])
	wantIs(t, errs[2], executor.ErrDuplicateKey)
	n, err := db.SweepBlobs(ctx, at(9), nil, 10)
	must(t, err)
	same(t, "swept", n, 2)
}
