"""关于收银机与终端之间的关口、以及终端本身的全部中文文字。What is said about the gate and the terminal, in Chinese.
gate_texts_en.py has the same keys."""

GATE = {
    "at_rest": "收银机当前没有进行中的操作。",
    "talking": "收银机有操作正在进行。",
    "failed": "程序处理收银机上一次请求时自身出错。在下一次请求成功之前，放行与否由策略的 gate_open 决定；未设置时"
    "退款照常检查。请用 refundctl watch 查看。",
    "since": "统计自",
    "since_value": "程序启动，{age}前",
    "passed": "已放行",
    "passed_value": "收银机报文 {commands} 条，终端报文 {answers} 条",
    "sales": "消费",
    "sales_value": "见到成功消费 {sales} 笔",
    "wanted": "收银机请求",
    "wanted_value": "退款或撤销 {wishes} 次",
    "lost": "丢失",
    "lost_value": "无人接收的字节 {lost} 个",
    "last": "收银机最近的请求",
    "nothing_asked": "此后收银机没有请求过退款。",
    "refund": "退款 {amount}",
    "reversal": "撤销 {amount}",
    "no_amount": "整笔交易",
    "untied": "未对应到原交易",
    "fits": "原交易小票号 {receipts}？",
    "under_way": "进行中",
    "held": "已拦下",
    "done": "已完成",
    "not_done": "未执行",
    "unknown": "结果未明",
    "several": "有多笔原交易符合，小票号：{receipts}。",
    "say_which": "请对照顾客的小票，确认是哪一笔，再在收银机上重新申请退款。",
    "no_sale": "经过这里的交易中，没有与该金额相符的。",
    "not_logged_on": "程序启动后（或终端中断后），收银机尚未登录终端。",
    "log_on": "请让收银机登录终端（多数收银机启动时会自动登录），或直接在收银机上退款。",
    "find_sale": "请对照顾客的小票。如确是在此消费，请指明是哪一笔，再在收银机上重新申请。",
}

TERMINAL = {
    "till_logs_on": "尚未见到收银机登录",
    "ready": "就绪",
    "fault": "故障",
    "busy": "忙",
    "silent": "无应答",
    "unknown": "未知",
    "says_ready": "终端已就绪，可以退款。",
    "says_fault": "终端报告了以下问题。",
    "says_busy": "终端正在处理操作，请稍后再问。",
    "says_silent": "终端无应答：连续 {n} 次询问没有答复。以下数据的新旧以所列时间为准。",
    "says_unknown": "尚未询问过终端，或没有终端。",
    "not_told": "未告知",
    "no_locks": "无",
    "code": "{code} {text}",
    "yes": "是",
    "no": "否",
    "no_fault": "当前没有故障",
    "temperature": "{n} °C",
    "percent": "{n} %",
}

KEPT = {
    "void": "撤销交易",
    "alone": "除收银机外无人能发起交易",
    "card_token": "卡片代号",
}

WORD = {"command": "输入"}

EXPLAIN = {
    "asked_till": "收银机在关口申请退款 {amount}，对应原交易小票号 {receipt}。",
    "asked_till_void": "收银机在关口申请撤销小票号 {receipt} 的交易，{amount}。",
    "asked_till_untied": "收银机在关口申请退款 {amount}，没有可对应的原交易。",
    "asked_till_several": "收银机在关口申请退款 {amount}。符合的原交易有 {count} 笔，其中两笔小票号为 {receipt}、{other}。",
    "passed": "收银机办理了退款 {amount}，原交易小票号 {receipt}。该笔未经检查，直接放行。",
    "passed_void": "收银机撤销了小票号 {receipt} 的交易，{amount}。该笔未经检查，直接放行。",
    "passed_untied": "收银机退出了 {amount}。该笔未经检查，直接放行，也没有可对应的原交易。",
}

ERROR = {
    "agent_reserved_key": "以 till- 或 passed- 开头的编号由程序自用，对应收银机的请求；请在收银机上申请，或换一个编号",
    "agent_no_gate": "这个程序不在收银机与终端之间，没有任何数据经过它。请这样启动：refund-agent run --gate（docs/gate.md）",
}

HELP = {
    "gate": "显示收银机与终端之间放行了什么，收银机的哪些退款被拦下，以及原因。",
    "terminal": "用文字说明终端：状态、锁定、版本，以及各项数据的新旧。",
}
