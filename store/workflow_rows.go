package store

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/workflows"

	"gorm.io/gorm"
)

// workflowRow is a row of workflows. Tags is a JSON array. LatestHash is the
// hash of LatestVersion's definition, to notice that a save changes nothing.
type workflowRow struct {
	ID            string `gorm:"primaryKey"`
	TenantID      string
	Slug          string
	Name          string
	Description   string
	Status        string
	TriggerType   string
	Tags          string
	ActiveVersion int
	LatestVersion int
	LatestHash    string
	// Revision rises with each change, for If-Match.
	Revision  int64
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
	// Deleted is 1 for a workflow that is hidden; its row stays for its runs.
	Deleted int
	// Folded is what searches read, see searchText.
	Folded string
	// ChangeNumber is that of the tenant's last change that was of this row, see
	// numberChange. Writing the row does not change it.
	ChangeNumber int64 `gorm:"->"`
}

func (workflowRow) TableName() string { return "workflows" }

// toWorkflowRow encodes a workflow; workflowRow.workflow is its inverse. No tags
// are stored as an empty array, and the search text is made here, so that no
// writer can forget it.
func toWorkflowRow(w workflows.Workflow, latestHash string) (workflowRow, error) {
	tags := w.Tags
	if tags == nil {
		tags = []string{}
	}
	text, err := json.Marshal(tags)
	if err != nil {
		return workflowRow{}, fmt.Errorf("encode tags: %w", err)
	}
	row := workflowRow{
		ID: w.ID, TenantID: w.TenantID, Slug: w.Slug, Name: w.Name, Description: w.Description,
		Status: string(w.Status), TriggerType: w.TriggerType, Tags: string(text),
		ActiveVersion: w.ActiveVersion, LatestVersion: w.LatestVersion, LatestHash: latestHash,
		Revision: w.Revision, CreatedAt: millis(w.CreatedAt), UpdatedAt: millis(w.UpdatedAt),
	}
	row.setSearchText()
	return row, nil
}

// workflow decodes a row. An error means that the stored JSON is damaged.
func (r workflowRow) workflow() (workflows.Workflow, error) {
	w := workflows.Workflow{
		ID: r.ID, TenantID: r.TenantID, Slug: r.Slug, Name: r.Name, Description: r.Description,
		Status: workflows.Status(r.Status), TriggerType: r.TriggerType,
		ActiveVersion: r.ActiveVersion, LatestVersion: r.LatestVersion, Revision: r.Revision,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
	}
	if err := json.Unmarshal([]byte(r.Tags), &w.Tags); err != nil {
		return w, fmt.Errorf("decode tags of %s: %w", r.ID, err)
	}
	return w, nil
}

// tagRow is a row of workflow_tags: a list per tag, ordered like the list of
// workflows.
type tagRow struct {
	TenantID   string
	Tag        string
	UpdatedAt  int64 `gorm:"autoUpdateTime:false"`
	WorkflowID string
}

func (tagRow) TableName() string { return "workflow_tags" }

// writeTags replaces a workflow's rows in the lists of its tags; repeated tags
// count once. It is called with every change, as the rows hold the time of the
// last one.
func writeTags(tx *gorm.DB, w workflows.Workflow) error {
	if err := tx.Exec("DELETE FROM workflow_tags WHERE workflow_id = ?", w.ID).Error; err != nil {
		return err
	}
	seen := make(map[string]bool, len(w.Tags))
	rows := make([]tagRow, 0, len(w.Tags))
	for _, tag := range w.Tags {
		if !seen[tag] {
			seen[tag] = true
			rows = append(rows, tagRow{w.TenantID, tag, millis(w.UpdatedAt), w.ID})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return tx.Create(&rows).Error
}

// versionRow is a row of workflow_versions. Nothing but Label, the source and what was
// published changes once it is written.
type versionRow struct {
	WorkflowID    string `gorm:"primaryKey"`
	Number        int    `gorm:"primaryKey;autoIncrement:false"`
	TenantID      string
	Label         string
	Definition    string
	Hash          string
	ChangeSummary string
	CreatedBy     string
	AuthorType    string
	AuthorID      string
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
	// PublishedAt is when it last became the active version, 0 for never; PublishedBy is an
	// actor as JSON, "" for none.
	PublishedAt  int64
	PublishedBy  string
	SourceFormat string
	SourceHash   string // source.Written.Hash
	SourceText   string
}

func (versionRow) TableName() string { return "workflow_versions" }

// toVersionRow encodes a new version of a workflow. Who wrote it is stored twice:
// CreatedBy is the name as it was then.
func toVersionRow(w workflows.Workflow, v workflows.NewVersion) versionRow {
	return versionRow{
		WorkflowID: w.ID, Number: v.Number, TenantID: w.TenantID, Label: v.Label,
		Definition: string(v.Definition), Hash: v.Hash, ChangeSummary: v.ChangeSummary,
		CreatedBy: v.CreatedBy, AuthorType: v.Author.Type, AuthorID: v.Author.ID, CreatedAt: millis(v.CreatedAt),
		SourceFormat: string(v.Written.Format), SourceHash: v.Written.Hash(), SourceText: v.Written.Text,
	}
}
