package api_test

import "testing"

func TestAStartBeyondTheLimitIsAConflict(t *testing.T) {
	s := newStack(t)
	wf := s.create(`{"name":"One","concurrency":{"limit":1,"key":"{{ input.k }}","on_limit":"reject"},"steps":[{"id":"nap","type":"wait","config":{"seconds":3600}}]}`, "")
	first := s.start(wf, `{"input_data":{"k":"a"}}`)
	s.post("/api/workflows/"+wf+"/run", `{"input_data":{"k":"a"}}`).wantCode(t, 409, "concurrency_limit")
	s.start(wf, `{"input_data":{"k":"b"}}`)
	s.post("/api/workflows/runs/"+first+"/terminate", "").want(t, 200)
	s.eventually("room", func() bool {
		return s.post("/api/workflows/"+wf+"/run", `{"input_data":{"k":"a"}}`).status == 202
	})
}
