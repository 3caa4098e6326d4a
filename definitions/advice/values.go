package advice

// foreignValues returns the words in the place of a step type, or of another
// allowed value, by the field: type and the enumerations of the format by
// their name, those of a config by config:<type>:<path>.
func foreignValues() map[string][]Replacement {
	return map[string][]Replacement{
		// A step type is looked up by "type", a value of a config by its
		// place.
		"type":     stepTypeWords(),
		"on_error": errorWords(),
		"backoff": {
			{words: "exp expo exponentially geometric", Suggest: "exponential"},
			{words: "constant none static const flat", Suggest: "fixed"},
			{words: "incremental arithmetic", Suggest: "linear"},
		},
		"on_interrupt": {
			{words: "rerun restart resume continue again", Suggest: "retry"},
			{words: "stop abort never manual", Suggest: "fail"},
		},
		"on_limit": {
			{words: "wait enqueue queued block", Suggest: "queue"},
			{words: "skip drop deny refuse fail error forbid", Suggest: "reject"},
			{words: "cancel replace cancel_running cancel_in_progress terminate cancel-previous", Suggest: "cancel_oldest"},
		},
		"on_timeout": {
			{words: "error raise abort stop", Suggest: "fail"},
			{words: "ignore skip proceed resume", Suggest: "continue"},
		},
		"config:script:language": {
			{words: "sh zsh posix cmd", Suggest: "shell"},
			{words: "bash", Suggest: "bash"},
			{words: "python3 py python2 py3", Suggest: "python"},
			{words: "javascript js node nodejs typescript ts go golang ruby perl php java powershell pwsh r lua deno", Write: "scripts are written in shell or python; a shell script may call another interpreter that is installed on the server's machine"},
		},
		"config:http_request:auth:type": {
			{words: "api_key apiKey apikey key custom custom_header header_auth", Suggest: "header", Write: "write type: header, name: X-Api-Key and value: \"{{ secrets.NAME }}\""},
			{words: "token jwt oauth oauth2 bearer_token access_token oidc", Suggest: "bearer", Write: "write type: bearer and token: \"{{ secrets.NAME }}\""},
			{words: "password userpass http_basic basic_auth basicauth", Suggest: "basic", Write: "write type: basic, username: … and password: \"{{ secrets.NAME }}\""},
			{words: "digest aws sigv4 ntlm hmac", Write: "there are bearer, basic and header; sign the request in a script for anything else"},
			{words: "none no anonymous", Write: "leave auth out where there is none"},
		},
		"config:http_request:response": {
			{words: "body object dict structured", Suggest: "json"},
			{words: "string raw plain html xml binary", Suggest: "text"},
		},
	}
}

// errorWords are the values of on_error of others, of which most mean
// continue.
func errorWords() []Replacement {
	return []Replacement{
		{words: "ignore skip resume proceed pass suppress warn go_on continueRegularOutput", Suggest: "continue"},
		{words: "stop abort raise throw terminate fail_workflow exit halt error stopWorkflow", Suggest: "fail"},
		{words: "rerun again repeat try_again", Suggest: "retry"},
		{words: "catch handle goto alternative route", Suggest: "fallback", Write: "write on_error: fallback and fallback_step: the id of the step to run instead"},
	}
}

// stepTypeWords are the step types of others. A word may stand for different
// types in different products; it has the one that is most often meant.
func stepTypeWords() []Replacement {
	return []Replacement{
		// Types that do something outside.
		{words: "http https rest rest_api api api_call apiCall call_api request requests fetch get post put patch delete curl wget http_call httpCall http_get http_post http_rest web_request webRequest axios url graphql soap rpc HTTP_TASK simple_http httpRequestNode http_operator core_http CALL_HTTP n8n-nodes-base.httpRequest io.kestra.plugin.core.http.Request endpoint download", Suggest: "http_request", Write: "write http_request: config has url, method, headers, query, body"},
		{words: "shell bash sh zsh cmd command commands exec execute run process terminal python python3 py javascript js node nodejs typescript code inline function func lambda docker container kubernetes powershell ssh bash_operator python_operator BashOperator PythonOperator shell_script shellScript bash_script python_script run_script ShellCommand io.kestra.plugin.scripts.shell.Commands io.kestra.plugin.scripts.python.Script program ruby perl go binary local_shell job expression_code n8n-nodes-base.code n8n-nodes-base.executeCommand INLINE", Suggest: "script", Write: "write script: config has language (shell or python) and script"},
		// Types of the machine: branches, loops and waits.
		{words: "if if_else ifElse switch choice Choice branch branching decision decide gateway router route conditional case when exclusive exclusive_gateway fork_if check test SWITCH DECISION BranchPythonOperator io.kestra.plugin.core.flow.If io.kestra.plugin.core.flow.Switch n8n-nodes-base.if n8n-nodes-base.switch match filter assert", Suggest: "condition", Write: "write condition: config has expression, then: [ids] and else: [ids], or cases"},
		{words: "foreach for_each for forEach each map Map while do_while DO_WHILE iterate iterator iteration repeat until split batch split_in_batches splitInBatches loop_over loopOver foreach_loop dynamic FORK_JOIN_DYNAMIC io.kestra.plugin.core.flow.ForEach n8n-nodes-base.splitInBatches range forloop", Suggest: "loop", Write: "write loop: config has items (an expression) or while, and steps: the body"},
		{words: "sleep delay timer pause Wait WAIT wait_timer waitTimer wait_for wait_until sensor poll cron_wait n8n-nodes-base.wait time", Suggest: "wait", Write: "write wait: config has seconds, until, condition or signal"},
		{words: "approval approve human human_task humanTask manual manual_task user_task userTask suspend input form hold confirm confirmation gate signal event HUMAN human_input human_in_the_loop review task_approval wait_for_approval await_signal receive message_event manual_approval interrupt", Suggest: "wait", Write: "write wait with a signal: config: {signal: {name: approved, prompt: …}}"},
		// Types of services. What has no type of its own is a request or a
		// script.
		{words: "llm ai openai chatgpt gpt claude anthropic gemini agent chat prompt completion chat_completion llm_call ai_agent aiAgent language_model generate ollama mistral bedrock langchain LLM_CHAT_COMPLETE summarize classify agent_call agents assistant", Suggest: "agent_task", Write: "write agent_task: config has agent_id (an agent that an admin has set up) and goal"},
		{words: "notify notification slack discord teams callback hook event_publish publish emit send_event outgoing_webhook send_webhook alert", Suggest: "webhook", Write: "write webhook: config has url, event and payload; or http_request for a service with an API of its own"},
		{words: "email mail send_email sendEmail smtp sms twilio telegram", Suggest: "http_request", Write: "write http_request and call the API of a mail or message service"},
		{words: "sql db database postgres postgresql mysql sqlite query mongodb redis s3 bigquery snowflake kafka mqtt amqp ftp sftp file", Suggest: "script", Write: "there is no such type: write script with the client that is installed on the server's machine, or http_request to a service"},
		// Steps that are not needed here, with what stands in their place.
		{words: "transform set assign variable variables set_variable jq template jsonata mapping map_data data pass Pass noop no_op nop log print echo debug dummy merge JSON_JQ_TRANSFORM SET_VARIABLE comment DummyOperator EmptyOperator compute return output format edit_fields", Write: "values are computed where they are used, in {{ }}: remove the step and write the expression into the config or output that needs it"},
		{words: "parallel Parallel fork fork_join FORK_JOIN JOIN join group sequence sequential block scope section stage phase all dag split_parallel io.kestra.plugin.core.flow.Parallel task_group", Write: "steps without a path between them run in parallel, and depends_on joins them: put the inner steps directly into steps"},
		{words: "workflow sub_workflow subworkflow subflow sub_process subprocess child_workflow childWorkflow call_workflow callActivity SUB_WORKFLOW call invoke execute_workflow trigger_workflow trigger_dag_run start_workflow flow", Suggest: "http_request", Write: "workflows do not contain each other: start a run of the other one with http_request, POST /api/workflows/{workflow}/run"},
		{words: "trigger start manual_trigger manualTrigger schedule cron webhook_trigger webhookTrigger begin begin_event start_event input_node entry entrypoint", Write: "remove the step: a run is started over the API or by a schedule, and its input is input"},
		{words: "end stop terminate succeed Succeed fail Fail finish exit end_event complete done error TERMINATE", Write: "remove the step: a run ends when its steps have; a script that exits with 1 makes it fail"},
	}
}
