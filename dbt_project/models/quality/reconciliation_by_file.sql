{{ reconcile(by=['source_file']) }}
