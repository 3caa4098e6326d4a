package store

import (
	"encoding/json"
	"fmt"
	"heddle/audit"
	"heddle/bulk"
)

// bulkJobRow is a row of bulk_jobs. Settings, Selection and StoppedBy (an audit.Actor) are
// JSON; "" means none.
type bulkJobRow struct {
	ID          string `gorm:"primaryKey"`
	TenantID    string
	Kind        string
	Action      string
	Settings    string
	Selection   string
	Reason      string
	ActorType   string
	ActorID     string
	ActorName   string
	State       string
	Matched     int
	Total       int
	Done        int
	Failed      int
	Skipped     int
	StopCode    string
	StopMessage string
	StoppedBy   string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
	UpdatedAt   int64 `gorm:"autoUpdateTime:false"`
	EndedAt     int64
}

func (bulkJobRow) TableName() string { return "bulk_jobs" }

// toBulkJobRow encodes a job; bulkJobRow.job is its inverse.
func toBulkJobRow(j bulk.Job) (bulkJobRow, error) {
	settings, err := json.Marshal(j.Settings)
	if err != nil {
		return bulkJobRow{}, fmt.Errorf("encode the settings of a job: %w", err)
	}
	return bulkJobRow{
		ID: j.ID, TenantID: j.TenantID, Kind: string(j.Kind), Action: string(j.Action), Settings: string(settings), Selection: string(j.Selection),
		Reason: j.Reason, ActorType: j.By.Type, ActorID: j.By.ID, ActorName: j.By.Name, State: string(j.State),
		Matched: j.Matched, Total: j.Total, Done: j.Done, Failed: j.Failed, Skipped: j.Skipped,
		CreatedAt: millis(j.CreatedAt), UpdatedAt: millis(j.UpdatedAt), EndedAt: millis(j.EndedAt),
	}, nil
}

// job decodes a row. An error means that it is damaged.
func (r bulkJobRow) job() (bulk.Job, error) {
	j := bulk.Job{
		ID: r.ID, TenantID: r.TenantID, Kind: bulk.Kind(r.Kind), Action: bulk.Action(r.Action), Selection: raw(r.Selection),
		By: audit.Actor{Type: r.ActorType, ID: r.ActorID, Name: r.ActorName}, Reason: r.Reason, State: bulk.State(r.State),
		Matched: r.Matched, Total: r.Total, Progress: bulk.Progress{Done: r.Done, Failed: r.Failed, Skipped: r.Skipped},
		Stop:      bulk.Stop{Code: r.StopCode, Message: r.StopMessage},
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt), EndedAt: fromMillis(r.EndedAt),
	}
	if err := json.Unmarshal([]byte(r.Settings), &j.Settings); err != nil {
		return j, fmt.Errorf("decode the settings of job %s: %w", r.ID, err)
	}
	if r.StoppedBy != "" {
		if err := json.Unmarshal([]byte(r.StoppedBy), &j.Stop.By); err != nil {
			return j, fmt.Errorf("decode who stopped job %s: %w", r.ID, err)
		}
	}
	return j, nil
}

// bulkItemRow is a row of bulk_items.
type bulkItemRow struct {
	JobID      string `gorm:"primaryKey"`
	N          int    `gorm:"primaryKey;autoIncrement:false"`
	ObjectID   string
	WorkflowID string
	State      int
	Seq        int64
	Code       string
	Message    string
	ResultID   string
}

func (bulkItemRow) TableName() string { return "bulk_items" }

// toBulkItemRow encodes an item; bulkItemRow.item is its inverse.
func toBulkItemRow(i bulk.Item) bulkItemRow {
	return bulkItemRow{
		JobID: i.JobID, N: i.N, ObjectID: i.ObjectID, WorkflowID: i.WorkflowID, State: int(i.State), Seq: i.Seq,
		Code: i.Code, Message: i.Message, ResultID: i.ResultID,
	}
}

// item decodes a row.
func (r bulkItemRow) item() bulk.Item {
	return bulk.Item{
		JobID: r.JobID, N: r.N, ObjectID: r.ObjectID, WorkflowID: r.WorkflowID, State: bulk.ItemState(r.State), Seq: r.Seq,
		Code: r.Code, Message: r.Message, ResultID: r.ResultID,
	}
}
