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

ATTEST_SAYS = {
    "damage": ("设备外观无损坏。", "设备有损坏。"),
    "noise": ("设备无异常声响。", "设备有异常声响。"),
    "account_details": ("账号、户名和开户行无误。", "账户信息有误。"),
    "dispute": ("这笔交易的争议已解决。", "这笔交易存在争议。"),
    "evidence": ("这笔交易的凭证已留存。", "这笔交易的凭证缺失。"),
    "legal": ("法务已放行这笔退款。", "法务未放行这笔退款。"),
    "fx_consent": ("付款人同意按今日汇率退款。", "付款人不同意今日汇率。"),
    "host_code": ("收单主机应答 {code}。", "收单主机此前的应答已不再有效。"),
}

PEOPLE = {
    "yes": "y yes 是 好",
    "no": "n no 否 不",
    "approved": "{by} 已审批退款 {amount}。",
    "approved_then": "现在用与先前相同的选项和请求编号再次申请退款：",
    "pin_prompt": "{by} 的 PIN（不显示）：",
    "step_done": "做完了吗？[y/n]",
    "guide_done": "{of} 个步骤已全部完成并登记。",
    "guide_stopped": "已停止：{of} 个步骤中 {n} 个已完成并登记。",
    "digest_note": "文件留在本机，日志中只有其摘要。请把摘要与文件一起记下。",
    "digest_of_several": "共 {n} 个文件：按文件名排序，将各自的摘要依次连接后再计算 SHA-256。",
    "undated": "程序的时钟从未设置，所以这次确认没有日期，对有时限的检查无效。请先运行 refundctl status，由它告知时间。",
}

EXPLAIN = {
    "held": "被检查拦下，未发送",
    "somebody": "未说明",
    "an_amount": "金额不详",
    "asked": "申请退款 {amount}，原交易小票号 {receipt}。申请人：{who}。",
    "sale_seen": "终端显示的原交易：{facts}",
    "sale_attested": "申请人申报：{facts}",
    "sale_unseen": "终端从未向程序显示过这笔原交易。",
    "unseen": "无法检查的项：{n}。",
    "checked": "检查结论：{verdict}。",
    "recorded": "检查通过，已记录。",
    "sent": "发送到终端，仅此一次。",
    "last_receipt": "当时终端最后的小票号为 {receipt}。",
    "in_doubt": "没有收到最终结果：结果未明。",
    "executed": "终端已执行。",
    "executed_asked": "经询问，终端已执行过。",
    "refused": "终端拒绝，资金未动。",
    "refused_asked": "经询问，终端当时拒绝了，资金未动。",
    "not_sent": "终端没有告知最后的小票号，因此未发送。",
    "not_executed": "经询问，终端没有执行。",
    "settled_done": "有人确认已执行。",
    "settled_not": "有人确认未执行。",
    "settled_by": "{attested_by}（{role}）：{reason}",
    "code": "结果码 {code}，原因 {cause}：{text}",
    "code_unknown": "结果码 {code}，码表中没有。",
    "approved": "{by}（{role}）审批 {amount}。",
    "attested": "{by}（{role}）：{said}",
    "step": "{by}（{role}）完成原因 {cause}“{name}”的第 {n} 步，共 {of} 步。",
    "digest": "依据：{digest}",
    "boot": "程序重新启动（第 {boot} 次启动）。",
    "supply": "供电  {plot}  {low} 至 {high} mV",
    "supply_limit": "供电  {plot}  {low} 至 {high} mV，下限 {limit} mV",
    "no_events_in_file": "日志副本不含事件：当时硬件的情况这里没有。",
    "events_gone": "程序此后已重新启动：当时硬件的情况已不再保留。",
    "now": "现在",
    "cause": "原因",
    "now_approved": "无需处理：已退款。不要再次申请。",
    "now_doubt": "尚不知道是否已退给顾客。不要重复退款，也不要付现金。",
    "now_not_executed": "没有执行，可用同一请求编号重新申请。",
}

WORD = {
    "by": "确认人",
    "words": "内容",
    "digest": "摘要",
    "record": "记录",
    "when": "时间",
    "missing_policy": "策略中的 {name}",
    "missing_untold": "未说明",
    "missing_attest": "人工确认：{name}",
    "lacks": "{source}：{check}",
    "and_more": "及 {number}",
    "unseen": "无法检查：缺少的数据，以及需要它的检查项。",
    "then": "然后：",
    "approve_by_key": "第二人凭请求编号审批。请先用 refundctl refund 申请，结果中会写明要输入的命令。",
}

ERROR = {
    "nothing_to_explain": "日志中还没有退款，没有可说明的内容",
    "bad_what": "请说明确认什么，可用：{whats}",
    "what_needs_receipt": "{what} 针对一笔交易，请用 --receipt 指明小票号",
    "what_has_no_receipt": "{what} 针对门店，不针对某笔交易，请去掉 --receipt",
    "yes_or_no": "请对 {what} 回答 --yes 或 --no，说明见 refundctl attest --help",
    "host_code_needs_text": "host_code 须用 --text 给出主机应答的代码；如此前的应答已不再有效，则用 --no",
    "guide_no_cause": "CAUSE 必须是原因编号，1 到 60，见 refundctl causes",
    "guide_needs_done": "使用 --json 时无法提问，请用 --done 给出最后完成的步骤号，1 到 {high}",
    "bad_expiry": "--expiry 必须是年和月，如 2027-09",
}

HELP = {
    "explain": "按顺序说明一笔退款的经过：申请了什么，各项检查看到什么，硬件有何动静，终端如何答复，现在该做什么。",
    "explain_key": "退款的请求编号；last 为最近有记录的一笔。",
    "attest": "登记一项人工确认，供需要它的检查使用。WHAT：damage（设备无损坏？）、noise（无异常声响？）、account_details"
    "（账号、户名、开户行无误？）、dispute（争议已解决？）、evidence（凭证已留存？）、legal（法务已放行？）、fx_consent"
    "（付款人同意今日汇率？）、host_code（主机应答了什么：--text 代码）。",
    "what": "确认什么。",
    "about_receipt": "如针对某笔交易，其小票号。",
    "yes_no": "是否如此。",
    "attest_text": "简短说明；host_code 时为代码。",
    "attest_file": "作为依据的文件：只登记其 SHA-256，文件留在本机。可多次给出：按文件名排序，对各自摘要再计算 SHA-256。",
    "approve": "由第二人审批一笔退款。输入 PIN 时不显示；标准输入不是终端时，从中读取 PIN。",
    "approve_key": "退款的请求编号。",
    "approve_by": "审批人：策略人员名单中的姓名（必填）。",
    "guide": "按处理步骤逐步引导，完成一步登记一步。",
    "guide_cause": "原因编号。",
    "guide_done": "不提问，登记到第 N 步为已完成。",
    "scheme": "原交易的卡组织，按策略中的名称填写，如已知。",
    "settled": "原交易所在批次是否已结算，如已知。",
    "expiry": "卡有效期，格式 YYYY-MM。",
    "preflight_key": "退款的请求编号（如已有）：审批只对该编号有效。",
}
