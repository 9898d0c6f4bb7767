"""Class diversity: do the frequencies of a network within a class grow with how diverse the class is (method.md section 11)?"""
