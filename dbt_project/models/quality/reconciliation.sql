{{ reconcile() }}
