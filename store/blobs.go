package store

import (
	"context"
	"errors"
	"heddle/executor"
	"heddle/fault"
	"heddle/internal/elements"
	"slices"
	"time"

	"gorm.io/gorm"
)

// chunkSize is how many bytes of a blob one row holds: few enough that a group
// commit between two of them does not wait for long.
const chunkSize = 1 << 20

// The values of a blob's kept, which is 0 until a commit has named it.
const (
	keptValue = 1 // an event of the journal names it
	keptInput = 2 // a row of rendered_inputs does
)

// blobRow is a row of blobs.
type blobRow struct {
	ID       string `gorm:"primaryKey"`
	TenantID string
	RunID    string
	// Size is in bytes, Sha256 in hexadecimal, both of the whole content.
	Size        int64
	Sha256      string `gorm:"column:sha256"`
	ContentType string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
	Kept        int64
}

func (blobRow) TableName() string { return "blobs" }

// blob decodes a row.
func (r blobRow) blob() executor.Blob {
	return executor.Blob{
		ID: r.ID, TenantID: r.TenantID, RunID: r.RunID, Size: r.Size, SHA256: r.Sha256,
		ContentType: r.ContentType, CreatedAt: fromMillis(r.CreatedAt), Input: r.Kept == keptInput,
	}
}

// chunkRow is a row of blob_chunks: bytes N*chunkSize and following of a blob.
type chunkRow struct {
	BlobID string
	N      int64
	Data   []byte
}

func (chunkRow) TableName() string { return "blob_chunks" }

// PutBlob writes the blob's row, then its chunks, a transaction each, so that
// the writer is never taken for long. A blob is unreferenced until a commit
// names it (Commit.Blobs); one whose writing was cut off stays so, and
// SweepBlobs finds it by its row. Size and hash are the caller's: they are
// stored as they are. content is not kept.
func (db *DB) PutBlob(ctx context.Context, b executor.Blob, content []byte) error {
	err := db.update(ctx, func(tx *gorm.DB) error {
		return tx.Create(&blobRow{
			ID: b.ID, TenantID: b.TenantID, RunID: b.RunID, Size: b.Size, Sha256: b.SHA256,
			ContentType: b.ContentType, CreatedAt: millis(b.CreatedAt),
		}).Error
	})
	for n := int64(0); err == nil && len(content) > 0; n++ {
		piece := content[:min(chunkSize, len(content))]
		content = content[len(piece):]
		err = db.update(ctx, func(tx *gorm.DB) error {
			return tx.Exec("INSERT INTO blob_chunks (blob_id, n, data) VALUES (?, ?, ?)", b.ID, n, piece).Error
		})
	}
	return err
}

// Blob returns a blob that a commit of the run has named; blob_not_found otherwise,
// also while no commit has named it.
func (db *DB) Blob(ctx context.Context, tenantID, runID, blobID string) (executor.Blob, error) {
	var row blobRow
	ok, err := found(db.reader(ctx).Where("id = ? AND tenant_id = ? AND run_id = ? AND kept > 0", blobID, tenantID, runID), &row)
	if err == nil && !ok {
		err = blobNotFound(blobID)
	}
	return row.blob(), translate(err)
}

// blobNotFound is the error for a blob that does not exist, is not referenced or
// is another tenant's: these are not told apart.
func blobNotFound(id string) error {
	return fault.New(fault.NotFound, "blob_not_found", "The run has no blob %q.", id)
}

// RunBlobs lists the blobs that commits of the run have named, by id, without their
// contents.
func (db *DB) RunBlobs(ctx context.Context, runID string) ([]executor.Blob, error) {
	var rows []blobRow
	if err := db.reader(ctx).Where("run_id = ? AND kept > 0", runID).Order("id").Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	return elements.Map(rows, blobRow.blob), nil
}

// BlobChunk returns the bytes from offset to the end of the chunk that holds
// it, nil at the blob's end: a reader never has more than chunkSize in memory.
// blob_not_found: there is no such blob, or its chunk is gone.
func (db *DB) BlobChunk(ctx context.Context, blobID string, offset int64) ([]byte, error) {
	var row chunkRow
	ok, err := found(db.reader(ctx).Select("data").Where("blob_id = ? AND n = ?", blobID, offset/chunkSize), &row)
	if err != nil {
		return nil, translate(err)
	}
	if at := offset % chunkSize; ok && at <= int64(len(row.Data)) {
		return row.Data[at:], nil
	}
	var blob blobRow
	ok, err = found(db.reader(ctx).Select("size").Where("id = ?", blobID), &blob)
	if err == nil && (!ok || offset < blob.Size) {
		err = blobNotFound(blobID)
	}
	return nil, translate(err)
}

// SweepBlobs removes at most limit unreferenced blobs that were created before
// a moment, a transaction each, and returns how many. Those in spare are about
// to be named by a commit and stay. A blob that a commit names in between stays
// too: the deletion looks again.
func (db *DB) SweepBlobs(ctx context.Context, before time.Time, spare []string, limit int) (int, error) {
	var ids []string
	err := db.reader(ctx).Model(&blobRow{}).Where("kept = 0 AND created_at < ?", millis(before)).
		Order("created_at, id").Limit(limit+len(spare)).Pluck("id", &ids).Error
	if err != nil {
		return 0, translate(err)
	}
	n := 0
	for _, id := range ids {
		if n == limit || slices.Contains(spare, id) {
			continue
		}
		swept, err := updateResult(ctx, db, func(tx *gorm.DB) (int, error) {
			gone := tx.Exec("DELETE FROM blobs WHERE id = ? AND kept = 0", id)
			if gone.Error != nil || gone.RowsAffected == 0 {
				return 0, gone.Error
			}
			return 1, tx.Exec("DELETE FROM blob_chunks WHERE blob_id = ?", id).Error
		})
		n += swept
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// referenceBlobSQL marks a blob of the run as referenced. No row means that it
// was swept.
var referenceBlobSQL = inBothDialects("UPDATE blobs SET kept = ? WHERE id = ? AND run_id = ?")

// errBlobGone fails a whole group because a blob that one of its members names
// was swept, or is another run's.
var errBlobGone = errors.New("a blob that a commit names is gone")

// referenceBlobs marks the blobs that writes name as referenced, in the
// transaction that writes the events which name them: only for writes that have
// won, since a blob that is marked is never swept. One that is gone undoes the
// transaction with errBlobGone: its event would name nothing.
func referenceBlobs(tx groupTx, writes []*write) error {
	var list []statement
	for _, w := range writes {
		for _, id := range w.blobs {
			list = append(list, statement{referenceBlobSQL, []any{int64(keptValue), id, w.row.ID}})
		}
		for _, in := range w.inputs {
			if in.Blob != "" {
				list = append(list, statement{referenceBlobSQL, []any{int64(keptInput), in.Blob, w.row.ID}})
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	changed, err := execStatements(tx, list)
	if err == nil && slices.Contains(changed, 0) {
		err = errBlobGone
	}
	return err
}
