#!/bin/sh -e
# This made the files of this folder, with LibreOffice 25.2 (Debian's libreoffice-calc and python3-uno). The tests do
# not run it. LibreOffice numbers the encodings: 67 is GBK, 85 is GB18030, 76 is UTF-8.
cd "$(dirname "$0")"
made=$(mktemp -d)
csv="Text - txt - csv (StarCalc)"

# A cell in quotation marks is text. Otherwise 1001 is a number, and 2020-01-31 is a date.
cat > "$made/people.csv" <<'END'
工号,姓名,部门,入职日期,抽奖号
"1001",王芳,研发部,2020-01-31,3
"007","Lee, Ann",市场部,,
"A-3",欧阳娜娜,,2019-07-01,1
END
sed 's/欧阳娜娜/𠮷田㼆/' "$made/people.csv" > "$made/rare.csv"
cat > "$made/cells.csv" <<'END'
 id ,Employee Name,DEPT,Entry Date,Lottery Number
1001,王芳,研发部,2020-01-31,3
,,,,
"007","Müller, Ann",市场部,2019-07-01,
1002,,市场部,,
2020-01-31,欧阳娜娜,,20180201,1
END

# convert FILE NEW FORMAT
convert() {
  soffice --headless "-env:UserInstallation=file://$made/profile" --infilter="$csv:44,34,76,1,,1033,true,true" \
    --convert-to "$3" --outdir "$made/out" "$made/$1.csv" > /dev/null
  mv "$made/out/$1.${3%%:*}" "$2"
}
convert people gbk.csv "csv:$csv:44,34,67"
convert rare gb18030.csv "csv:$csv:44,34,85"
convert people semicolon.csv "csv:$csv:59,34,76"
convert people tab.txt "csv:$csv:9,34,76"
convert people bom.csv "csv:$csv:44,34,76,1,,0,false,true,false,false,false,0,false,true"
convert people old.xls "xls:MS Excel 97"
convert cells cells.xlsx "xlsx:Calc MS Excel 2007 XML"

# A password needs a program that talks to LibreOffice.
/usr/bin/python3 - "$PWD" "$made/profile" <<'END'
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue

folder, profile = sys.argv[1:]
where = "socket,host=127.0.0.1,port=20555;urp;"
office = subprocess.Popen(["soffice", "--headless", f"-env:UserInstallation=file://{profile}", f"--accept={where}"])
time.sleep(10)
here = uno.getComponentContext()
resolver = here.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", here)
there = resolver.resolve(f"uno:{where}StarOffice.ComponentContext")
desktop = there.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", there)
sheet = desktop.loadComponentFromURL(f"file://{folder}/cells.xlsx", "_blank", 0, ())
options = {"FilterName": "Calc MS Excel 2007 XML", "Password": "secret"}
properties = tuple(PropertyValue(name, 0, value, 0) for name, value in options.items())
sheet.storeToURL(f"file://{folder}/password.xlsx", properties)
desktop.terminate()
office.wait()
END
rm -r "$made"
