package executor

import (
	"context"
	"errors"
	"heddle/executor/machine"
	"heddle/fault"
	"io"
	"time"
)

// The sizes of values that are stored apart from the journal, in bytes.
const (
	// MaxInline is the largest value that an event holds itself.
	MaxInline = machine.MaxInline
	// MaxBlob is the largest value of all.
	MaxBlob = 64 << 20
	// MaxRunBlobs is how much one run may have stored apart: the default of
	// Config.RunBlobs.
	MaxRunBlobs = 256 << 20
)

// Blob is a value of a run that is stored apart. It never changes, and is removed with its
// run.
type Blob struct {
	ID          string // blob_ and 24 hex digits
	TenantID    string
	RunID       string
	Size        int64  // in bytes
	SHA256      string // hex
	ContentType string
	CreatedAt   time.Time
	Input       bool // the rendered input of an attempt, which counts against a limit of its own
}

// BlobStore keeps values too large for the journal. A blob is written before the commit
// that names it (Commit.Blobs), and belongs to no run until then. Its methods are safe for
// concurrent use.
type BlobStore interface {
	// PutBlob writes a blob in pieces, a transaction each. One that was cut off is
	// swept as one that no commit names.
	PutBlob(ctx context.Context, b Blob, content []byte) error
	// Blob finds a blob that a commit of the run has named; another tenant's, or one
	// that no commit names, is fault.NotFound blob_not_found.
	Blob(ctx context.Context, tenantID, runID, blobID string) (Blob, error)
	// RunBlobs lists the blobs that commits of the run have named, by id.
	RunBlobs(ctx context.Context, runID string) ([]Blob, error)
	// BlobChunk reads what is stored together with the byte at offset, from it
	// on: at least one byte before the blob's end, none at it. A blob that is
	// gone is fault.NotFound blob_not_found.
	BlobChunk(ctx context.Context, blobID string, offset int64) ([]byte, error)
	// SweepBlobs removes at most limit blobs that no commit names and that were made before t, but for the
	// spared ones, and counts them.
	SweepBlobs(ctx context.Context, t time.Time, spare []string, limit int) (int, error)
}

// Blob opens a value that a run has stored apart: its description, and its
// bytes, which are read in pieces as they are read. ctx is that of the
// reading. Errors: fault.NotFound run_not_found and blob_not_found.
func (s *Reader) Blob(ctx context.Context, tenantID, runID, blobID string) (Blob, io.ReadSeeker, error) {
	if _, err := s.cfg.Store.Run(ctx, tenantID, runID); err != nil {
		return Blob{}, nil, err
	}
	if s.cfg.Blobs == nil {
		return Blob{}, nil, fault.New(fault.NotFound, "blob_not_found", "The run has no blob %q.", blobID)
	}
	b, err := s.cfg.Blobs.Blob(ctx, tenantID, runID, blobID)
	return b, &blobReader{ctx: ctx, store: s.cfg.Blobs, blob: b}, err
}

// blobReader reads a blob in pieces, of which it holds at most one. It belongs to one
// goroutine, and its calls of the store end with ctx.
type blobReader struct {
	ctx   context.Context //nolint:containedctx // io.Reader takes no context
	store BlobStore
	blob  Blob
	at    int64  // offset of the next byte to read, maybe beyond the end
	piece []byte // bytes from at on that were read already
}

// Read returns bytes of one piece; it reads the next one where none are left. It may return
// fewer bytes than fit, and io.EOF at the end.
func (r *blobReader) Read(p []byte) (int, error) {
	if r.at >= r.blob.Size {
		return 0, io.EOF
	}
	if len(r.piece) == 0 {
		piece, err := r.store.BlobChunk(r.ctx, r.blob.ID, r.at)
		if err != nil {
			return 0, err
		}
		r.piece = piece
	}
	n := copy(p, r.piece)
	r.piece, r.at = r.piece[n:], r.at+int64(n)
	return n, nil
}

// Seek moves within the blob or beyond its end, without reading. What was read is dropped
// unless the offset stays the same.
func (r *blobReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.blob.Size
	}
	if offset < 0 {
		return r.at, errors.New("seek before the beginning")
	}
	if offset != r.at {
		r.at, r.piece = offset, nil
	}
	return offset, nil
}
