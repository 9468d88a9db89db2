"""Who may be addressed at all: whoever allows marketing and is in no control arm that is still being compared."""

from orchestration.privacy.consent import allowed


def addressable(customer: str = "customer_id") -> str:
    """SQL condition over published tables: not opted out of marketing, and nobody's control.

    The global control group never ends; the control arms of other experiments are free again once those are final.
    """
    return f"""(
        {allowed("marketing", customer=customer)}
        and {customer} not in (
            select assigned.customer_id
            from ml.experiment_assignments as assigned
            inner join ml.experiment_results as results
                on assigned.experiment_id = results.experiment_id and assigned.arm = results.arm
            where results.is_control and results.status <> 'final'
        )
    )"""
