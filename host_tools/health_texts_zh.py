"""What is said about the agent's own health, in Chinese. As health_texts_en.py."""

HEALTH = {
    "unknown": "原因不明",
    "power_on": "通电启动",
    "reset": "人为重启",
    "brown_out": "供电电压跌落",
    "watchdog": "程序停止响应，被看门狗复位",
    "out_of_memory": "内存不足",
    "fault": "程序自身出错",
    "crash": "第 {boot} 次启动时崩溃：{reason}。",
    "crash_after": "第 {boot} 次启动，运行 {time} 后崩溃：{reason}。",
    "crash_before": "日志打开之前崩溃：{reason}。",
    "said": "报错信息：{text}",
    "spots": "位置：{spots}",
    "boot": "程序重新启动（第 {boot} 次启动）：{reason}。",
    "safe_mode": "安全模式：程序连续崩溃五次。日志可以读取，不办理任何退款。"
    "先取出日志，再重新启动：在串口终端键入 restart，或一分钟后断电再通电，或重新部署。",
}

WORD = {"last_crash": "上次崩溃"}

ERROR = {
    "agent_safe_mode": "程序连续崩溃五次，现处于安全模式：只能查询状态和读取日志；见 refundctl status",
}
