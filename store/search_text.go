package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"
)

// searchText returns the form in which texts are searched, in Unicode and alike
// on both databases, whose own lower() knows ASCII alone: canonically composed
// (NFC) and with full case folding, so that STRASSE finds Straße and ς is σ.
// Accents count, and a dotted İ is i with a dot above. Several texts are joined
// by newlines, which no search holds.
func searchText(texts ...string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(strings.Join(texts, "\n"))))
}

// setSearchText fills in the column that searches read, from those that they
// are about. It must be called whenever one of them changes.
func (r *workflowRow) setSearchText() { r.Folded = searchText(r.Name, r.Slug, r.Description) }

// searchTextBatch is how many rows one transaction fills in.
const searchTextBatch = 500

// fillSearchTexts sets the search text of rows that were written before the
// column existed, or by a node of an earlier version. Open calls it after
// migrating. A partial index finds them, so it costs little where there are
// none; a crash leaves the rest to the next call.
func (db *DB) fillSearchTexts(ctx context.Context) error {
	for {
		filled, err := updateResult(ctx, db, func(tx *gorm.DB) (int, error) {
			var rows []workflowRow
			if err := tx.Where("folded = ''").Order("id").Limit(searchTextBatch).Find(&rows).Error; err != nil {
				return 0, err
			}
			// By tenant, as each has its number of changes locked to the end.
			slices.SortFunc(rows, func(a, b workflowRow) int {
				return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.ID, b.ID))
			})
			for _, row := range rows {
				row.setSearchText()
				if err := tx.Exec("UPDATE workflows SET folded = ? WHERE id = ?", row.Folded, row.ID).Error; err != nil {
					return 0, err
				}
				if err := numberChange(tx, row); err != nil {
					return 0, err
				}
			}
			return len(rows), nil
		})
		if err != nil || filled < searchTextBatch {
			return err
		}
	}
}
