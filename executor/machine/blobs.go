package machine

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"heddle/expressions"
	"strconv"
)

// MaxInline is the largest value, in bytes, that an event holds itself where
// Apply was given Blobs; larger ones are blobs: rows of their own, which the
// journal refers to.
const MaxInline = 1 << 20

// refPrefix is how a reference begins, and nothing else that a run keeps: a
// caller's own value that begins so becomes a blob, whatever its size.
const refPrefix = `{"$blob":"blob_`

// FormatReference returns what stands in the journal for a blob: {"$blob": id, "size":
// bytes, "sha256": hex, "content_type": …}.
func FormatReference(id string, size int64, sha256Hex, contentType string) json.RawMessage {
	o := objectIn(make([]byte, 0, 192))
	o.text("$blob", id)
	o.Int("size", size)
	o.text("sha256", sha256Hex)
	o.text("content_type", contentType)
	return o.End()
}

// ParseReference reads a reference; false for any other value. It costs a look at the first
// bytes of a value that is none.
func ParseReference(v json.RawMessage) (BlobRef, bool) {
	if !bytes.HasPrefix(v, []byte(refPrefix)) {
		return BlobRef{}, false
	}
	var ref BlobRef
	err := json.Unmarshal(v, &ref)
	return ref, err == nil && ref.Size >= 0
}

// NeedsBlob reports whether a value cannot stand in the journal itself: it is
// larger than MaxInline, or could be taken for a reference.
func NeedsBlob(v json.RawMessage) bool {
	return len(v) > MaxInline || bytes.HasPrefix(v, []byte(refPrefix))
}

// BlobRef is what a reference says: the blob's id, and its size in bytes.
type BlobRef struct {
	ID   string `json:"$blob"`
	Size int64  `json:"size"`
}

// Blobs is what an Apply, or the rendering of a config, may know of large values: the
// contents of stored blobs, and the references of values that were stored. What it lacks it
// records (TakeRequest); the caller supplies that and begins again, so that the machine
// itself never reads or writes. It is used by one goroutine at a time.
//
// The caller's loop:
//
//	for {
//		change, err := ApplyWith(run, in, now, blobs)
//		request, ok := err.(*BlobRequest)
//		if !ok {
//			return change, err
//		}
//		load request.Load and store request.Store, then AddContent and AddReference
//	}
type Blobs struct {
	contents   map[string]blobContent              // by blob id
	references map[[sha256.Size]byte]blobReference // by the SHA-256 of the value
	request    BlobRequest                         // what was lacking since the last TakeRequest
}

// blobContent is what AddContent supplied.
type blobContent struct {
	content json.RawMessage
	err     error
}

// blobReference is what AddReference supplied.
type blobReference struct {
	ref     json.RawMessage
	failure *Failure
}

// NewBlobs returns a Blobs that knows nothing yet.
func NewBlobs() *Blobs {
	return &Blobs{contents: make(map[string]blobContent), references: make(map[[sha256.Size]byte]blobReference)}
}

// BlobRequest lists what an Apply could not do without: Load are blobs whose contents it
// reads, Store values that have to become blobs. As the error of ApplyWith it says that
// nothing happened. A later round may ask for more: a content may have to be read before it
// is known what else is.
type BlobRequest struct {
	Load  []BlobRef
	Store []json.RawMessage
}

// Error returns a text for logs; callers supply what is wanted instead of showing it.
func (w *BlobRequest) Error() string {
	return "contents of " + strconv.Itoa(len(w.Load)) + " blobs and places for " + strconv.Itoa(len(w.Store)) + " values are wanted"
}

// TakeRequest returns what was lacking since the last call and forgets it; nil where
// nothing was, and for a nil Blobs.
func (b *Blobs) TakeRequest() *BlobRequest {
	if !b.incomplete() {
		return nil
	}
	w := b.request
	b.request = BlobRequest{}
	return &w
}

// incomplete reports whether something was lacking: what was decided since is to be
// dropped.
func (b *Blobs) incomplete() bool { return b != nil && len(b.request.Load)+len(b.request.Store) > 0 }

// AddContent supplies a blob's content, or the error for which it cannot be
// read; an expression that needs it fails with that error.
func (b *Blobs) AddContent(id string, content json.RawMessage, err error) {
	b.contents[id] = blobContent{content, err}
}

// AddReference supplies the reference of a value that was stored, or the
// failure for which it cannot be; a step that has the value as output fails
// with it.
func (b *Blobs) AddReference(value, ref json.RawMessage, failure *Failure) {
	b.references[sha256.Sum256(value)] = blobReference{ref, failure}
}

// DropContents forgets the contents, which may be large; references stay.
func (b *Blobs) DropContents() { clear(b.contents) }

// errContentMissing is the error of an expression in a round that is going to be dropped.
var errContentMissing = &expressions.Error{Code: expressions.CodeFailed, Message: "the value is stored apart and was not supplied"}

// content returns a value of the run as expressions see it: the content of the blob that a
// reference stands for, or v itself. Without Blobs a reference stands for itself. A content
// that was not supplied is recorded as lacking, and errContentMissing.
func (r *Run) content(v json.RawMessage) (json.RawMessage, error) {
	ref, ok := ParseReference(v)
	if !ok || r.blobs == nil {
		return v, nil
	}
	got, ok := r.blobs.contents[ref.ID]
	if !ok {
		r.blobs.request.Load = append(r.blobs.request.Load, ref)
		return nil, errContentMissing
	}
	return got.content, got.err
}

// externalize returns what the journal keeps of a value that the machine made: the value,
// or the reference of the blob that it became. A value that has no reference yet is
// recorded as lacking; null then takes its place in a round that is going to be dropped. It
// costs a hash of a large value.
func (t *transition) externalize(v json.RawMessage) (json.RawMessage, *Failure) {
	if t.blobs == nil || !NeedsBlob(v) {
		return v, nil
	}
	s, ok := t.blobs.references[sha256.Sum256(v)]
	if !ok {
		t.blobs.request.Store = append(t.blobs.request.Store, v)
		return null, nil
	}
	return s.ref, s.failure
}

// WithBlobs returns the scope of an Execute that reads contents from b. Scopes of other
// kinds are returned as they are. The run of s is copied, not changed.
func WithBlobs(s expressions.Scope, b *Blobs) expressions.Scope {
	v, ok := s.(view)
	if !ok {
		return s
	}
	// A copy of the struct: other scopes of the same run must not see b.
	run := *v.run
	run.blobs = b
	v.run = &run
	return v
}

// sizeOf returns how many bytes a value has, wherever it is stored.
func sizeOf(v json.RawMessage) int {
	if ref, ok := ParseReference(v); ok {
		return int(ref.Size)
	}
	return len(v)
}
