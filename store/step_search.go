package store

import (
	"cmp"
	"context"
	"encoding/json"
	"heddle/definitions/workflows"
	"heddle/search"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gorm.io/gorm"
)

// stepRow is a row of definition_steps.
type stepRow struct {
	TenantID   string
	Word       string
	WorkflowID string
	StepID     string
	Name       string
}

func (stepRow) TableName() string { return "definition_steps" }

const (
	// wordsPerStep is by how many words a step is found at most: of its id and of its name those
	// from the first four words of each on.
	wordsPerStep = 2 * wordsPerText
	wordsPerText = 4
	// maxWord is how many characters of a word are kept, and compared.
	maxWord = 60
)

// stepWord returns a text in the form in which steps are searched: folded as searchText folds it,
// its words joined by single spaces, cut to maxWord characters; "" for one without letters and
// digits.
func stepWord(text string) string {
	words := strings.FieldsFunc(searchText(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	joined := []rune(strings.Join(words, " "))
	return strings.TrimSuffix(string(joined[:min(len(joined), maxWord)]), " ")
}

// stepWords returns the words by which a step is found, each once.
func stepWords(s workflows.StepName) []string {
	var list []string
	for _, text := range []string{s.ID, s.Name} {
		rest := stepWord(text)
		for n := 0; n < wordsPerText && rest != ""; n++ {
			list = append(list, rest)
			_, rest, _ = strings.Cut(rest, " ")
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// writeSteps makes the rows of a workflow those of its active version, where that was another
// before (0: none). It is called in the transaction that changes it, when the versions are
// written, and changes only the rows that differ.
func writeSteps(tx *gorm.DB, w workflows.Workflow, before int) error {
	if w.ActiveVersion == before {
		return nil
	}
	var version struct{ Definition string }
	if _, err := found(tx.Table("workflow_versions").Select("definition").Where("workflow_id = ? AND number = ?", w.ID, w.ActiveVersion), &version); err != nil {
		return err
	}
	wanted := map[stepRow]bool{} // whether it is there
	for _, s := range workflows.StepNames(json.RawMessage(version.Definition)) {
		for _, word := range stepWords(s) {
			wanted[stepRow{w.TenantID, word, w.ID, s.ID, s.Name}] = false
		}
	}
	var kept []stepRow
	if err := tx.Where("workflow_id = ?", w.ID).Order("word, step_id").Find(&kept).Error; err != nil {
		return err
	}
	for _, row := range kept {
		if _, stays := wanted[row]; stays {
			wanted[row] = true
			continue
		}
		if err := tx.Exec("DELETE FROM definition_steps WHERE tenant_id = ? AND word = ? AND workflow_id = ? AND step_id = ?", row.TenantID, row.Word, row.WorkflowID, row.StepID).Error; err != nil {
			return err
		}
	}
	var added []stepRow
	for row, there := range wanted {
		if !there {
			added = append(added, row)
		}
	}
	if len(added) == 0 {
		return nil
	}
	slices.SortFunc(added, func(a, b stepRow) int { return cmp.Or(cmp.Compare(a.Word, b.Word), cmp.Compare(a.StepID, b.StepID)) })
	return tx.CreateInBatches(added, usesPerStatement).Error
}

// The statements that find steps by the beginning of a word: of the whole tenant by the primary
// key, of some workflows by their index.
const (
	foundStepSQL  = "SELECT s.step_id, s.name, s.workflow_id, w.slug FROM definition_steps AS s JOIN workflows AS w ON w.id = s.workflow_id AND w.tenant_id = ? WHERE "
	allStepsSQL   = foundStepSQL + "s.tenant_id = ? AND s.word >= ? AND s.word < ? ORDER BY s.word, s.workflow_id, s.step_id LIMIT ?"
	theirStepsSQL = foundStepSQL + "s.workflow_id IN ? AND s.word >= ? AND s.word < ? ORDER BY s.word, s.workflow_id, s.step_id LIMIT ?"
)

// FindSteps returns at most limit steps of active versions of which a word begins with the text, by
// that word, of the workflows that may be viewed (nil: of all). It reads as many rows as it
// returns, or as a step has words times that.
func (db *DB) FindSteps(ctx context.Context, tenantID, text string, viewable []string, limit int) ([]search.Step, error) {
	from := stepWord(text)
	if from == "" || viewable != nil && len(viewable) == 0 {
		return nil, nil
	}
	// Behind every text that begins so: nothing sorts after the last of all characters.
	to := from + string(utf8.MaxRune)
	return viewResult(ctx, db, func(tx *gorm.DB) ([]search.Step, error) {
		query, args := allStepsSQL, []any{tenantID, tenantID, from, to, limit * wordsPerStep}
		if viewable != nil {
			query, args[1] = theirStepsSQL, viewable
		}
		var rows []struct{ StepID, Name, WorkflowID, Slug string }
		if err := tx.Raw(query, args...).Scan(&rows).Error; err != nil {
			return nil, err
		}
		var list []search.Step
		for _, r := range rows {
			s := search.Step{ID: r.StepID, Name: r.Name, WorkflowID: r.WorkflowID, Slug: r.Slug}
			if len(list) < limit && !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
		return list, nil
	})
}
