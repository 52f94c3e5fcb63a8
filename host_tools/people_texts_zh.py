"""关于人工确认、审批和操作引导的全部中文文字。What is said about people's words, approvals and guidance, in Chinese.
people_texts_en.py has the same keys."""

SOURCES = {
    "clock": "时钟",
    "clock: nothing to hold it against": "可供对照的时钟",
    "journal": "日志",
    "policy": "策略",
    "attest": "人工确认",
    "temperature": "温度计",
    "terminal_line": "终端连线的统计",
    "network_tls": "主机证书",
    "operator": "申请人（--operator）",
    "scheme": "卡组织（--scheme）",
    "settled": "批次是否已结算（--settled）",
    "sale_amount": "原交易金额（--sale-amount）",
    "sale_date": "原交易日期（--sale-date）",
    "sale_currency": "原交易币种",
    "sale_card": "原交易的卡",
    "card": "所刷的卡（--card）",
    "expiry": "卡有效期（--expiry）",
}

POLICY_STATE = ("有效", "没有", "损坏或伪造", "比先前的旧", "属于其他终端")

ATTEST = {
    "damage": "外观无损坏",
    "account_details": "账户信息无误",
    "dispute": "争议已解决",
    "evidence": "凭证已留存",
    "legal": "法务已放行",
    "fx_consent": "付款人同意汇率",
    "approval": "审批",
    "guide": "步骤已完成",
    "noise": "无异常声响",
    "host_code": "主机应答",
}

WORD = {
    "missing_policy": "策略中的 {name}",
    "missing_attest": "人工确认：{name}",
    "lacks": "{source}：{check}",
    "and_more": "及 {number}",
    "unseen": "无法检查：缺少的数据，以及需要它的检查项。",
    "then": "然后：",
    "approve_by_key": "第二人凭请求编号审批。请先用 refundctl refund 申请，结果中会写明要输入的命令。",
}

ERROR = {
    "bad_expiry": "--expiry 必须是年和月，如 2027-09",
}

HELP = {
    "scheme": "原交易的卡组织，按策略中的名称填写，如已知。",
    "settled": "原交易所在批次是否已结算，如已知。",
    "expiry": "卡有效期，格式 YYYY-MM。",
    "preflight_key": "退款的请求编号（如已有）：审批只对该编号有效。",
}
