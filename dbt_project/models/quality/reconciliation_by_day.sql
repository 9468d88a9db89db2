{{ reconcile(by=['event_date']) }}
