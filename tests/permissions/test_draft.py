import pytest
pytestmark = pytest.mark.django_db
import time
from tests.permissions.routes import all_routes
from tests.permissions.notation import ACTORS, row
from tests.permissions.bodies import parameters
from incidents.views.room_acts import ACTS
from tests.permissions.bodies import _TARGETS

def test_draft(asking):
    out=open("/tmp/draft.txt","w")
    S={"ok":"+","no":"x","hidden":"0","sign in":">"}
    for name, methods in sorted(all_routes().items()):
        try:
            params = [] if name.startswith("/") else parameters(name)
        except Exception as e:
            out.write(f"?? {name} {e}\n"); continue
        ons=[""]
        for key,kinds in (("api_ticket","INC"),("ticket","INC"),("attachment","INC"),("api_candidate","CAN"),("candidate","CAN"),("api_problem","PRB"),("problem","PRB"),("api_change","CHG"),("change","CHG")):
            if name.startswith(key): ons=[f"{kinds} own",f"{kinds} foreign"] if kinds!="CAN" else ["CAN"]
        if params and ons==[""]: ons=["MI own","MI foreign"]
        if not params: ons=[""]
        if "person" in name: ons=["person own","person foreign"]
        if name in("delivery","notice_open"): ons=[name.split("_")[0]+" own"]
        acts=[""]
        if name=="act": acts=[a for a in ACTS if a not in _TARGETS]
        if name=="act_on": acts=[a for a in ACTS if a in _TARGETS]
        if name=="ticket_do": acts=["take","watch"]
        if name=="ticket_form": acts=["hold","resolve","attach","reopen","escalate"]
        if name=="candidate_act": acts=["acknowledge","dismiss","link"]
        for m in [m for m in ("GET","POST","PUT","PATCH","DELETE") if m in methods]:
            for on in ons:
              for act in acts:
                r=row(name,m,on,act=act); t=time.time()
                try:
                    got=[asking.answer(r,m,a) for a in ACTORS]
                except Exception as e:
                    out.write(f"!! {r}: {type(e).__name__} {e}\n"); out.flush(); continue
                line="".join(S.get(g,f"[{g}]") for g in got)
                out.write(f"{line} {name} {act} {m} {on}  {time.time()-t:.2f}\n"); out.flush()
